"""A twin of each vendor's API on this machine, with books of its own."""
