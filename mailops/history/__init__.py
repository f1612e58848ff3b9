"""Events: all that happened, in a hash chain, verified, archived, exported.

with audited():
    …change something…
    record("order.confirmed", order, reason="…", changes={"state": ["review", "confirmed"]})
"""

from mailops.history.audited_transactions import audited
from mailops.history.chain import acting, operator, record

__all__ = ["acting", "audited", "operator", "record"]
