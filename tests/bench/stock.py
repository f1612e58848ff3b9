"""What the bench sends: practice accounts, and orders drafted and confirmed by the project's own
functions.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from mailops.core.sealed import Sealed
from mailops.history import acting
from orders import submission
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.drafting.intake import read
from orders.management.commands.demo import CMR_DOMAINS, CMR_PRICES
from orders.models import Client, Order
from orders.plan import plan
from vendors.models import Price, Vendor

ACCOUNTS = 20  # each takes a few requests a second, so one alone would set the pace of all workers
IN_ONE_COMMIT = 50  # getting ready is not measured, so it need not wait for the disk at every order


def open_accounts() -> None:
    """Two people, a client, and the accounts with typed prices."""
    with transaction.atomic():
        for name in ("drafter", "confirmer"):
            User.objects.create_user(name).groups.add(Group.objects.get(name=name.title()))
        Client.objects.create(name="Bench", main_domain="bench.example", forward_to="bench.example")
        for number in range(ACCOUNTS):
            sealed = Sealed("").put({"api_key": f"practice-bench-{number}"})
            account = Vendor.objects.create(
                name=f"Bench {number}",
                api="coldmailreseller",
                settings={"user_id": "U-201"},
                sealed=str(sealed),
            )
            for item, label, amount, unit, renewal in CMR_PRICES:
                Price.objects.create(
                    vendor=account, item=item, label=label, amount=Decimal(amount), unit=unit,
                    renewal_amount=Decimal(renewal) if renewal else None, source="Typed by bench", as_of=timezone.now(),
                )  # fmt: skip


def confirmed(word: str, count: int) -> dict[int, str]:
    """That many confirmed orders, spread over the accounts: their numbers with the domain that each
    buys.
    """
    accounts = list(Vendor.objects.order_by("pk"))
    made: dict[int, str] = {}
    with acting(who="bench"):
        for first in range(0, count, IN_ONE_COMMIT):
            with transaction.atomic():
                for number in range(first, min(first + IN_ONE_COMMIT, count)):
                    domain = f"bench-{word}-{number}.com"
                    made[_confirmed(accounts[number % ACCOUNTS], domain).pk] = domain
    return made


def _confirmed(account: Vendor, domain: str) -> Order:
    drafter, confirmer = (User.objects.get(username=name) for name in ("drafter", "confirmer"))
    client = Client.objects.get()
    reading = read(f"{domain}, Dana Reyes, dana", account.adapter.products["domains"])
    draft = Draft(
        vendor=account,
        product="domains",
        client=client,
        forward_to=client.forward_to,
        options=CMR_DOMAINS,
        rows=reading.rows,
    )
    order = drafts.send_for_confirmation(drafts.create(draft, by=drafter).pk, by=drafter)
    return submission.confirm(order.pk, by=confirmer, digest=plan(order).digest)


def requests_like(orders: dict[int, str], *, key: str) -> list[dict[str, Any]]:
    """The very requests of these orders under another key, as keywords of `requests.post`."""
    found = Order.objects.select_related("vendor", "client", "contact").in_bulk(list(orders))
    made = []
    for order in found.values():
        request = plan(order).request.prepare(order.vendor.host, {"api_key": key})
        made.append({"url": request.url, "data": request.body, "headers": request.headers})
    return made
