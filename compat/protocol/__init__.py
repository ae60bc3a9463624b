"""The driver protocol `bullmq-compat/1` without processes: messages, values, error symbols, methods."""
