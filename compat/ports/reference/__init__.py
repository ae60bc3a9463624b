"""bullmq_ref behind `bullmq-compat/1`: `python -m compat.ports.reference`."""
