"""`python -m compat` is `bullmq-compat`."""

from compat.cli import main

main()
