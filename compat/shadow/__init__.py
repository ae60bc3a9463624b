"""Shadow: Node's workers and a port's on one queue, and a twin of every job for the other side."""
