"""Free or taken: vendors' answers about an order's names, and asking them."""
