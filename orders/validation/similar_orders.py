"""Orders that are nearly the same as a recent one, as ordering twice by mistake would be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, IntegerField, Q, Value, When
from django.db.models.functions import StrIndex, Substr
from django.utils import timezone

from orders.models import Domain, Mailbox, Order
from orders.models.state import PURCHASE_POSSIBLE
from vendors.verdicts import Problem

# Names that an order must have: one more mailbox on a domain is everyday work.
FEWEST = 2
LIKENESS = 80  # percent of the names of the longer order


def problems_of(order: Order) -> list[Problem]:
    """A warning for each recent order of the client with nearly the same names; 3 queries."""
    domains = {line.name for line in order.contents}
    addresses = {box.address for line in order.contents for box in line.mailboxes}
    if len(domains) < FEWEST and len(addresses) < FEWEST:
        return []
    since = timezone.now() - timedelta(days=settings.NEAR_SAME_DAYS)
    recent = Order.objects.filter(
        client_id=order.client_id, created_at__gte=since, state__in=PURCHASE_POSSIBLE
    )
    # Few columns: the snapshot on an order may be long.
    others = list(recent.exclude(pk=order.pk).only("pk", "state", "created_at").order_by("-pk"))
    if not others:
        return []
    likeness = _of_domains(others, domains) | _of_addresses(others, addresses)
    return [_problem(order, other, likeness[other.pk]) for other in others if other.pk in likeness]


def _of_domains(others: list[Order], names: set[str]) -> dict[int, str]:
    if len(names) < FEWEST:
        return {}
    labels = {name.partition(".")[0] for name in names}
    bought = _counted(Domain, "order_id", "name", others, names, labels)
    found = {}
    for pk, total, same, alike in bought + _counted(
        Mailbox, "order_id", "domain__name", others, names, labels
    ):
        if same * 100 >= LIKENESS * max(total, len(names)):
            found[pk] = (
                "with all the same domains"
                if same == total == len(names)
                else f"with {same} of these domains"
            )
        elif same < alike == total == len(names):
            found[pk] = "with the same names under other endings"
    return found


def _counted(
    model: Any, order: str, column: str, others: list[Order], names: set[str], labels: set[str]
) -> list[tuple[int, int, int, int]]:
    """Of each order: its domains, those in `names`, those with a label in `labels`."""
    label = Substr(column, 1, StrIndex(column, Value(".")) - 1)
    rows = (
        model.objects.filter(order__in=[other.pk for other in others])
        .annotate(label=label)
        .order_by()
    )
    is_same, is_alike = Q(**{f"{column}__in": names}), Q(label__in=labels)
    return list(
        rows.values_list(order).annotate(
            total=Count(column, distinct=True),
            same=Count(column, distinct=True, filter=is_same),
            alike=Count(column, distinct=True, filter=is_alike),
        )
    )


def _of_addresses(others: list[Order], addresses: set[str]) -> dict[int, str]:
    if len(addresses) < FEWEST:
        return {}
    boxes = Mailbox.objects.filter(order__in=[other.pk for other in others]).order_by()
    one = Case(When(address__in=addresses, then=1), output_field=IntegerField())
    counts = boxes.values_list("order_id").annotate(total=Count("pk"), same=Count(one))
    return {
        pk: "with all the same addresses"
        for pk, total, same in counts
        if total == same == len(addresses)
    }


def _problem(order: Order, other: Order, how: str) -> Problem:
    since = (timezone.now() - other.created_at).days
    ago = "today" if since < 1 else "yesterday" if since == 1 else f"{since} days ago"
    fix = (
        "" if order.why_again else "Say on the draft why it is ordered again, or cancel this draft."
    )
    return Problem(
        message=(
            f"{other} {how} was drafted {ago} for the same client, and reads"
            f" “{other.get_state_display()}”."
        ),
        fix=fix,
        field="repeat",
        level="warn",
        order_id=other.pk,
        wants_reason=not order.why_again,
    )
