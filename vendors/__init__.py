"""Vendor accounts: what they cost, how fast they may be asked, what they answer."""
