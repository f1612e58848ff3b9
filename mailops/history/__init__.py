"""The history of everything that happens, and the context in which it happens.

with telling():
    …change something…
    record("order.confirmed", order, reason="…", changes={"state": ["review", "confirmed"]})
"""

from mailops.history.audited import telling
from mailops.history.chain import acting, operator, record

__all__ = ["acting", "operator", "record", "telling"]
