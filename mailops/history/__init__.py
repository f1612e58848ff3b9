"""Events: an append-only record of everything that happens, and who acts.

with audited():
    …change something…
    record("order.confirmed", order, reason="…", changes={"state": ["review", "confirmed"]})
"""

from mailops.history.audited_transactions import audited
from mailops.history.chain import acting, operator, record

__all__ = ["acting", "audited", "operator", "record"]
