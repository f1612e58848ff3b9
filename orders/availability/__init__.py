"""Whether an order's names are free: what vendors said, and asking them."""
