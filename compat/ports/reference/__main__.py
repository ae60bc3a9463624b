"""Starts the driver."""

from __future__ import annotations

from compat.ports.reference.driver import main

if __name__ == "__main__":
    main()
