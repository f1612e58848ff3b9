"""Limits, balances, and the orders that wait for either."""
