"""What there is room for: limits, balances, and orders that wait for either."""
