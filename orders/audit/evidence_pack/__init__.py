"""Evidence packs: what happened to an order or in a period, in a file that a stranger can check
without MailOps.
"""

from orders.audit.evidence_pack.pack import made_here, make
from orders.audit.evidence_pack.scope import TooMuch, Wanted

__all__ = ["TooMuch", "Wanted", "made_here", "make"]
