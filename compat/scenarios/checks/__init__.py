"""Checks: each a function from a scenario to its complaints."""
