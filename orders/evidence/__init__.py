"""Evidence packs: what happened to an order or in a period, in a file that a stranger can check without MailOps."""

from orders.evidence.pack import MOST_EVENTS, MOST_ORDERS, TooMuch, Wanted, make

__all__ = ["MOST_EVENTS", "MOST_ORDERS", "TooMuch", "Wanted", "make"]
