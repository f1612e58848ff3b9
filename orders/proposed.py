"""What of a client needs a second person."""

from __future__ import annotations

from mailops.proposals.guards import register
from orders.models import Client
from vendors.proposed import CURRENCY, LIMITS, LimitedGuard


class ClientGuard(LimitedGuard):
    """A new client has no limits, so whatever is typed for it first is tighter."""

    model = Client
    sees = "orders.view_client"
    rules = {**LIMITS, **CURRENCY}


CLIENTS = register(ClientGuard())
