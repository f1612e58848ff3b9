"""The history of everything that happens, and the context in which it happens.

with telling():
    …change something…
    record("order.confirmed", order, reason="…", changes={"state": ["review", "confirmed"]})
"""

from mailops.history.chain import acting, operator, record
from mailops.history.telling import telling

__all__ = ["acting", "operator", "record", "telling"]
