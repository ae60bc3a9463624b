"""Programs of a chaos run that use the reference library; those of Node are in node/chaos.mjs."""
