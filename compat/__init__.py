"""The conformance test for BullMQ ports: scenarios drive Node BullMQ and a port, and every key and event is compared."""
