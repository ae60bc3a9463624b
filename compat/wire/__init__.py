"""What BullMQ stores, described once and independently of `bullmq_ref`."""
