"""The history of everything that happens, and the context in which it happens.

with transaction.atomic():
    …change something…
    record("order.confirmed", order, reason="…", changes={"state": ["review", "confirmed"]})
"""

from mailops.history.chain import acting, record

__all__ = ["acting", "record"]
