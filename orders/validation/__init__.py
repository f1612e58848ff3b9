"""Faults of an order that MailOps finds without asking anybody."""
