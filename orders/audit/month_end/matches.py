"""From the database and the vendor to a comparison, and from a comparison to findings."""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils import timezone

from mailops.core.money import Totals
from mailops.core.sealed import CannotOpen
from mailops.history import audited, record
from orders.audit.month_end.compare import Booked, Compared, Difference, with_list, with_statement
from orders.audit.month_end.statement import Charge
from orders.audit.month_end.statement_refunds import Refunded
from orders.models import Attempt, Domain, Mailbox, NotAllowed, Order, Refund, State
from orders.models.attempt import OPEN
from orders.models.inventory import Asset
from orders.models.month_end_match import Finding, FindingState, Kind, Match, Source
from vendors import rate_limit, vendor_reader
from vendors.http import Read, ReadFailed, Reply, Request
from vendors.models import Vendor, account_settings

MAX_WAIT = 20.0  # seconds that a person waits for a vendor's list
SETTLING = timedelta(days=3)  # how long an accepted order may be missing from the vendor's list
LIVE = (Asset.ORDERED, Asset.READY)
OF_LIST = (Kind.MISSING, Kind.NOT_OURS, Kind.COUNT, Kind.REFUSED)


def begin_with_list(vendor_id: int, *, by: User) -> Match:
    """Compare our orders with the vendor's list of domains. Raises `NotAllowed`."""
    vendor = Vendor.objects.get(pk=vendor_id)
    if not vendor.adapter.can_list_domains:
        raise NotAllowed(
            f"{vendor.adapter.label} has no list that MailOps can read. Choose a statement instead."
        )
    # Before the transaction: nothing may stay locked while the vendor is asked.
    try:
        read = _in_time(vendor_reader.reader(vendor, max_wait=rate_limit.A_PERSON))
        listed = vendor.adapter.owned_domains(account_settings(vendor), read)
    except (ReadFailed, CannotOpen) as error:
        raise NotAllowed(
            f"The vendor's list could not be read, so nothing was compared. {error}"
        ) from error
    today = timezone.localdate()
    with audited():
        Vendor.objects.locked(vendor_id)
        compared = with_list(_booked(vendor), listed, known=_held_before(vendor))
        match = _match(
            vendor, compared, by=by, source=Source.LIST, days=(today, today), lines=len(listed)
        )
        covered = Finding.objects.filter(vendor=vendor, kind__in=OF_LIST)
        _write(match, compared.differences, gone_if_not_found=covered, by=by)
    return match


def begin_with_statement(
    vendor_id: int,
    charges: list[Charge],
    *,
    days: tuple[date, date],
    file: tuple[str, bytes],
    by: User,
) -> Match:
    """Compare the orders sent on these days, both included, with a statement's charges."""
    name, data = file
    with audited():
        vendor = Vendor.objects.locked(vendor_id)
        compared = with_statement(_booked(vendor, days=days), charges, _refunded(vendor, days))
        match = _match(
            vendor,
            compared,
            by=by,
            source=Source.STATEMENT,
            days=days,
            lines=len(charges),
            name=name,
            data=data,
        )
        covered = Finding.objects.filter(vendor=vendor, order_id__in=compared.orders).exclude(
            kind__in=OF_LIST
        )
        _write(match, compared.differences, gone_if_not_found=covered, by=by)
    return match


def seen_before(vendor_id: int, data: bytes) -> Match | None:
    # The newest match comes first by the model's ordering.
    return Match.objects.filter(
        vendor_id=vendor_id, file_sha256=hashlib.sha256(data).hexdigest()
    ).first()


def _in_time(read: Read) -> Read:
    # A long list takes several requests, and a person waits for all of them.
    ends = time.monotonic() + MAX_WAIT

    def ask(request: Request) -> Reply:
        if time.monotonic() > ends:
            raise ReadFailed("The vendor answers too slowly. Try again later.")
        return read(request)

    return ask


# Our side


def _booked(vendor: Vendor, *, days: tuple[date, date] | None = None) -> list[Booked]:
    """Every order of the account that may have reached the vendor, oldest first. Five queries."""
    orders = Order.objects.filter(vendor=vendor, attempts__sent_at__isnull=False).order_by("pk")
    found = list(orders.annotate(sent_at=Max("attempts__sent_at")).select_related("vendor"))
    named = _domains_of(orders.values("pk"))
    live = _live_mailboxes(vendor)
    counting = {
        attempt.order_id: attempt
        for attempt in Attempt.objects.filter(order__vendor=vendor, stage__in=OPEN)
    }
    now = timezone.now()
    return [
        Booked(
            pk=order.pk,
            name=str(order),
            state=order.state,
            reference=order.reference,
            domains={name: live.get(name, 0) for name in named[order.pk]},
            buys_domains=order.product_spec.buys_domains,
            due_now=_counts(counting.get(order.pk)),
            again=Totals.of([*order.per_month.items()]),
            is_new=days is None or _is_within(_charged_at(order, counting.get(order.pk)), days),
            is_settling=order.state == State.ACCEPTED and order.state_since > now - SETTLING,
        )
        for order in found
    ]


def _counts(attempt: Attempt | None) -> Totals:
    return Totals.from_dict(attempt.due_now) if attempt else Totals()


def _charged_at(order: Any, attempt: Attempt | None) -> datetime:
    # An order that the vendor only created is charged when it is processed.
    sent_at: datetime = order.sent_at
    return max(sent_at, attempt.counted_at) if attempt else sent_at


def _refunded(vendor: Vendor, days: tuple[date, date]) -> list[Refunded]:
    return [
        Refunded(
            pk=refund.pk,
            order_id=refund.order_id,
            amount=refund.amount,
            currency=refund.currency,
            on=refund.on,
            by_name=refund.by_name,
            is_new=days[0] <= refund.on <= days[1],
        )
        for refund in vendor.refunds.filter(state=Refund.Stage.GOT).order_by("on", "pk")
    ]


def _is_within(at: datetime, days: tuple[date, date]) -> bool:
    return days[0] <= timezone.localtime(at).date() <= days[1]


def _domains_of(orders: Any) -> Mapping[int, list[str]]:
    # Domains that the vendor refused are left out where it took the rest of the order.
    names: dict[int, list[str]] = defaultdict(list)
    bought = Domain.objects.filter(order__in=orders).values_list(
        "order", "name", "state", "order__state"
    )
    boxes = Mailbox.objects.filter(order__in=orders).values_list(
        "order", "domain__name", "state", "order__state"
    )
    for order, name, state, order_state in [*bought, *boxes.distinct()]:
        is_left_out = state in (Asset.REFUSED, Asset.GONE) and order_state not in (
            State.REFUSED,
            State.CANCELLED,
        )
        if not is_left_out and name not in names[order]:
            names[order].append(name)
    return names


def _live_mailboxes(vendor: Vendor) -> Counter[str]:
    # Those that the vendor made by itself have no order.
    live = Mailbox.objects.filter(domain__vendor=vendor, state__in=LIVE)
    return Counter(live.values_list("domain__name", flat=True))


def _held_before(vendor: Vendor) -> frozenset[str]:
    # Orders put mailboxes on these domains, and MailOps did not buy them.
    held = Domain.objects.filter(vendor=vendor, order=None).exclude(state=Asset.GONE)
    return frozenset(held.values_list("name", flat=True))


# The result


def _match(
    vendor: Vendor,
    compared: Compared,
    *,
    by: User,
    source: Source,
    days: tuple[date, date],
    lines: int,
    name: str = "",
    data: bytes = b"",
) -> Match:
    return Match.objects.create(
        vendor=vendor,
        source=source,
        begins_on=days[0],
        ends_on=days[1],
        file_name=name[:200],
        file_sha256=hashlib.sha256(data).hexdigest() if data else "",
        compared=len(compared.orders),
        agreed=compared.agreed,
        lines=lines,
        by_name=by.get_username(),
    )


def _write(
    match: Match, differences: Iterable[Difference], *, gone_if_not_found: Any, by: User
) -> None:
    """Store the differences as findings, and mark as gone what `gone_if_not_found` has besides."""
    keyed = _keyed(differences)
    known = {
        finding.key: finding
        for finding in Finding.objects.filter(vendor=match.vendor, key__in=keyed)
    }
    known_pks = [finding.pk for finding in known.values()]
    back = [finding.pk for finding in known.values() if finding.state == FindingState.GONE]
    Finding.objects.filter(pk__in=known_pks).update(match=match)
    Finding.objects.filter(pk__in=back).update(state=FindingState.OPEN)
    new = [
        Finding(
            match=match,
            vendor=match.vendor,
            order_id=difference.order_id,
            kind=difference.kind,
            key=key,
            says=difference.says,
            ours=difference.ours,
            theirs=difference.theirs,
            currency=difference.currency,
        )
        for key, difference in keyed.items()
        if key not in known
    ]
    Finding.objects.bulk_create(new, batch_size=500)
    gone = gone_if_not_found.filter(state=FindingState.OPEN).exclude(pk__in=known_pks)
    gone = gone.exclude(match=match).update(state=FindingState.GONE)
    counts = {"opened": len(new), "opened_again": len(back), "gone": gone, "agreed": match.agreed}
    record(
        "match.made",
        match,
        by=by,
        changes={word: [None, count] for word, count in counts.items()}
        | {"against": [None, match.file_sha256 or match.source]},
    )


def _keyed(differences: Iterable[Difference]) -> dict[str, Difference]:
    # A statement may have several equal lines. The second gets a key of its own, and so on.
    keyed: dict[str, Difference] = {}
    for difference in differences:
        key, twin = difference.key, 1
        while key in keyed:
            twin += 1
            key = hashlib.sha256(f"{difference.key}|{twin}".encode()).hexdigest()
        keyed[key] = difference
    return keyed


def ticked(match_id: int, numbers: Collection[str]) -> list[int]:
    # The numbers come from a form: they may be of another match, or no numbers at all.
    wanted = [int(number) for number in numbers if number.isdecimal() and len(number) < 10]
    return list(
        Finding.objects.filter(match_id=match_id, pk__in=wanted).values_list("pk", flat=True)
    )
