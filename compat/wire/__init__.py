"""What BullMQ 5.62.0 stores, described once: keys, job fields and their codecs, events, scores, option names."""
