"""Review in one minute: what changed since this person looked, all that matters at a glance, and
who is next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.admin.order_pages import url
from orders.availability import known_answers
from orders.models import Order, State
from orders.plan import Plan
from orders.review import comments, confirming_rights, expiry, read_marks
from orders.spending import limits

FURTHEST = 200  # waiting orders that are counted


def since(request: HttpRequest, order: Order, current: Plan | None) -> read_marks.Since | None:
    """Note the look of somebody who may confirm, and say what changed; None where no such look is
    taken.
    """
    user = request.user
    if current is None or order.state != State.REVIEW or not user.has_perm("orders.confirm_order"):
        return None
    assert isinstance(user, User)
    uses = limits.used_now(order)
    return read_marks.note(order, by=user, now_is=read_marks.picture(order, current, uses))


# At a glance


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One answer in a few words, and where on the page the whole of it is."""

    label: str
    says: str
    more: str = ""
    kind: str = ""  # ok, wait, bad
    to: str


def glance(
    order: Order,
    current: Plan,
    *,
    seen: read_marks.Since | None,
    uses: Iterable[Mapping[str, Any]],
    found: Iterable[Mapping[str, Any]],
    said: Sequence[comments.Comment],
) -> list[Tile]:
    """The review in one screen: changes, checks, limits, availability, comments."""
    return [
        _changed(seen),
        _checked(current, found),
        *_limited(uses),
        *_free(order),
        _discussed(said, seen),
    ]


def _changed(seen: read_marks.Since | None) -> Tile:
    if seen is None or seen.at is None:
        return Tile(label="Since you looked", says="Your first look", kind="wait", to="since")
    if not seen.count:
        return Tile(label="Since you looked", says="Nothing changed", kind="ok", to="since")
    many = "1 thing" if seen.count == 1 else f"{seen.count:,} things"
    return Tile(label="Since you looked", says=f"{many} changed", kind="wait", to="since")


def _checked(current: Plan, found: Iterable[Mapping[str, Any]]) -> Tile:
    stops, warns = len(current.blocking), len(current.warnings)
    said = [f"{count:,} {one if count == 1 else many}" for count, one, many in (
        (stops, "stops it", "stop it"), (warns, "to look at", "to look at")) if count]  # fmt: skip
    good = sum(check["kind"] == "ok" for check in found)
    kind = "bad" if stops else "wait" if warns else "ok"
    return Tile(label="Duplicates and checks", says=", ".join(said) or "All good", more=f"{good} good", kind=kind,
                to="checks")  # fmt: skip


def _limited(uses: Iterable[Mapping[str, Any]]) -> list[Tile]:
    rows = list(uses)
    if not rows:
        return []
    over = [row for row in rows if row["is_over"]]
    closest = over[0] if over else rows[0]
    says = "Over a limit" if over else "Within all limits"
    more = f"{closest['after']} of {closest['limit']} {closest['period']} with this order"
    return [Tile(label="Limits", says=says, more=more, kind="bad" if over else "ok", to="limits")]


def _free(order: Order) -> list[Tile]:
    if not order.vendor.adapter.can_tell_availability:
        return []
    label = (
        "Are the domains free?"
        if order.product_spec.registers_names
        else "Are the domains registered?"
    )
    told = known_answers.told(order)
    if not told:
        return [Tile(label=label, says="Not asked", to="availability")]
    says = told[0]["text"].partition(": ")[2]
    is_free = told[0]["kind"] == "ok"
    return [
        Tile(
            label=label,
            says=says[:1].upper() + says[1:],
            kind="ok" if is_free else "wait",
            to="availability",
        )
    ]


def _discussed(said: Sequence[comments.Comment], seen: read_marks.Since | None) -> Tile:
    says = "None" if not said else "1 comment" if len(said) == 1 else f"{len(said)} comments"
    new = sum(seen is None or seen.at is None or comment.at > seen.at for comment in said)
    more = f"{new} since you looked" if new and seen and seen.at else ""
    return Tile(label="Comments", says=says, more=more, kind="wait" if new else "", to="comments")


# Which order is next


@dataclass(frozen=True, kw_only=True)
class Line:
    """The orders that wait for somebody's confirmation, oldest first, as seen from one of them."""

    count: int
    place: int | None
    previous: Order | None
    next: Order | None


def line(user: User, order: Order | None = None) -> Line:
    """Where this order stands in this person's line; what they may not confirm is passed over."""
    pks = list(Order.objects.to_confirm(user).values_list("pk", flat=True)[:FURTHEST])
    at = pks.index(order.pk) if order and order.pk in pks else None
    before, after = (pks[:at], pks[at + 1 :]) if at is not None else ([], pks)
    return Line(
        count=len(pks),
        place=None if at is None else at + 1,
        previous=_first_of(reversed(before), user),
        next=_first_of(after, user),
    )


def _first_of(pks: Iterable[int], user: User) -> Order | None:
    for pk in pks:
        order = Order.objects.select_related("vendor", "client").get(pk=pk)
        if not confirming_rights.why_not_confirm(order, user):
            return order
    return None


def leads_on(user: User) -> SafeString:
    """After a decision: how many more wait for this person, with a link to the first of them; empty
    for none.
    """
    waiting = line(user)
    if waiting.next is None:
        return SafeString()
    more = "1 more order waits" if waiting.count == 1 else f"{waiting.count} more orders wait"
    return format_html(
        ' {} for you: <a href="{}">review {}</a>.', more, url(waiting.next, "confirm"), waiting.next
    )


def and_then(says: str, user: User) -> SafeString:
    """What was done, and who is next."""
    return format_html("{}{}", says, leads_on(user))


def about(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What both pages of a waiting order share: its comments, when it expires."""
    return {
        "comments": comments.of(order),
        "comment_url": url(order, "comment"),
        "may_comment": request.user.has_perm("orders.comment_order"),
        "expires_at": expiry.expires_at(order),
        "expires_then": expiry.then(order),
        "together_url": f"{reverse('admin:orders_order_together')}?vendor={order.vendor_id}",
    }
