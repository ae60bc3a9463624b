"""The mirror of a live queue: each job that ended there is run again by a new worker, and both ends are compared."""
