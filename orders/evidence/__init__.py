"""Evidence packs: what happened to an order or in a period, in a file that a stranger can check without MailOps."""

from orders.evidence.pack import made_here, make
from orders.evidence.wanted import TooMuch, Wanted

__all__ = ["TooMuch", "Wanted", "made_here", "make"]
