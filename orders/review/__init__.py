"""Reading a waiting order, confirming it, and what changed since."""
