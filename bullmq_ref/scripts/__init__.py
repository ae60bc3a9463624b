"""BullMQ's Lua scripts as typed functions, one each: KEYS and ARGV in order, the result decoded, codes raised."""
