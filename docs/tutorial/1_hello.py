"""Not yet a driver."""

print("Hello!")
