"""Limits, balances, and orders that wait for either."""
