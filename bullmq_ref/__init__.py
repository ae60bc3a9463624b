"""An asyncio library that speaks BullMQ 5.62.0 exactly as Node does."""
