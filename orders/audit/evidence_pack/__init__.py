"""An order or a period in one file that a stranger can check."""

from orders.audit.evidence_pack.pack import made_here, make
from orders.audit.evidence_pack.scope import TooMuch, Wanted

__all__ = ["TooMuch", "Wanted", "made_here", "make"]
