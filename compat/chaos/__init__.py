"""Chaos: Node's and the reference's workers and adders on one queue, faults among them, and an account at the end."""
