"""Frozen values that every other part of the harness passes on: no I/O, no decisions."""
