"""The history of everything that happens, and the context in which it happens.

with telling():
    …change something…
    record("order.confirmed", order, reason="…", changes={"state": ["review", "confirmed"]})
"""

from mailops.history.chain import acting, record
from mailops.history.telling import telling

__all__ = ["acting", "record", "telling"]
