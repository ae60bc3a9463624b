"""The conformance test for BullMQ ports: scenarios drive Node and a port, and all they leave is compared."""
