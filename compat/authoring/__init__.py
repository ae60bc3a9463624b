"""What the author of a driver is helped with: a walk through the protocol, skeletons, replays."""
