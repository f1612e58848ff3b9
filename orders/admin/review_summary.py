"""Summary of a review: changes since the person's last look, tiles, the next order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mailops.core.text import plural
from orders.admin.order_pages import url
from orders.availability import known_answers
from orders.models import Order, State
from orders.plan import Plan
from orders.review import comments, confirming_rights, expiry, read_marks
from orders.spending import limits

# More waiting orders are not counted: the count has to stay one short query.
MAX_WAITING_COUNTED = 200


def since(request: HttpRequest, order: Order, current: Plan | None) -> read_marks.Since | None:
    """Record the look of a person who may confirm. Returns the changes since their last look.

    None for other people, and for orders that do not wait for a confirmation.
    """
    user = request.user
    if current is None or order.state != State.REVIEW or not user.has_perm("orders.confirm_order"):
        return None
    assert isinstance(user, User)
    uses = limits.used_now(order)
    return read_marks.note(order, by=user, now_is=read_marks.picture(order, current, uses))


@dataclass(frozen=True, kw_only=True)
class Tile:
    """An answer in a few words, with the id of the section that has the details in `to`."""

    label: str
    says: str
    more: str = ""
    # ok, wait or bad
    kind: str = ""
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
    """Tiles for changes, checks, limits, availability and comments, in this order."""
    return [
        _changed(seen),
        _checked(current, found),
        *_limited(uses),
        *_free(order),
        _discussed(said, seen),
    ]


def _changed(seen: read_marks.Since | None) -> Tile:
    if seen is None or seen.at is None:
        says, kind = "Your first look", "wait"
    elif not seen.count:
        says, kind = "Nothing changed", "ok"
    else:
        says, kind = f"{plural(seen.count, 'thing')} changed", "wait"
    return Tile(label="Since you looked", says=says, kind=kind, to="since")


def _checked(current: Plan, found: Iterable[Mapping[str, Any]]) -> Tile:
    stops, warns = len(current.blocking), len(current.warnings)
    counts = [
        plural(stops, "stops it", "stop it") if stops else "",
        f"{warns:,} to look at" if warns else "",
    ]
    kinds = Counter(check["kind"] for check in found)
    good, open_ = kinds["ok"], kinds["none"]
    # What nobody looked at is neither good nor bad.
    rest = f"Nothing found, {open_} not known" if open_ else "All good"
    return Tile(
        label="Duplicates and checks",
        says=", ".join(filter(None, counts)) or rest,
        more=f"{good} good{f', {open_} not known' if open_ and (stops or warns) else ''}",
        kind="bad" if stops else "wait" if warns else "" if open_ else "ok",
        to="checks",
    )


def _limited(uses: Iterable[Mapping[str, Any]]) -> list[Tile]:
    rows = list(uses)
    if not rows:
        return []
    # The tile has room for one limit: one that is exceeded, or else the first.
    over = [row for row in rows if row["is_over"]]
    closest = over[0] if over else rows[0]
    says = "Over a limit" if over else "Within all limits"
    more = f"{closest['after']} of {closest['limit']} {closest['period']} with this order"
    if not any(row["needs_room"] for row in rows):
        says = "It needs no room now"
        more = f"{closest['used']} of {closest['limit']} {closest['period']} without it"
    return [Tile(label="Limits", says=says, more=more, kind="bad" if over else "ok", to="limits")]


def _free(order: Order) -> list[Tile]:
    if not order.vendor.adapter.can_tell_availability:
        return []
    label = f"Are the domains {'free' if order.product_spec.registers_names else 'registered'}?"
    checks = known_answers.told(order)
    if not checks:
        return [Tile(label=label, says="Not asked", to="availability")]
    # The check reads "Vendor: two are taken"; the tile has no room for the vendor.
    says = checks[0]["text"].partition(": ")[2]
    kind = {"ok": "ok", "none": ""}.get(checks[0]["kind"], "wait")
    return [Tile(label=label, says=says[:1].upper() + says[1:], kind=kind, to="availability")]


def _discussed(said: Sequence[comments.Comment], seen: read_marks.Since | None) -> Tile:
    says = plural(len(said), "comment") if said else "None"
    new = sum(seen is None or seen.at is None or comment.at > seen.at for comment in said)
    more = f"{new} since you looked" if new and seen and seen.at else ""
    return Tile(label="Comments", says=says, more=more, kind="wait" if new else "", to="comments")


@dataclass(frozen=True, kw_only=True)
class Line:
    """The orders that wait for a person's confirmation, oldest first, seen from one of them."""

    count: int
    # counted from 1; None for an order that is not in the line
    place: int | None
    previous: Order | None
    next: Order | None


def line(user: User, order: Order | None = None) -> Line:
    """The order's place in the user's line. Orders that the user may not confirm are skipped."""
    pks = list(Order.objects.to_confirm(user).values_list("pk", flat=True)[:MAX_WAITING_COUNTED])
    at = pks.index(order.pk) if order and order.pk in pks else None
    before, after = (pks[:at], pks[at + 1 :]) if at is not None else ([], pks)
    return Line(
        count=len(pks),
        place=None if at is None else at + 1,
        previous=_first_of(reversed(before), user),
        next=_first_of(after, user),
    )


def _first_of(pks: Iterable[int], user: User) -> Order | None:
    # The rules about who may confirm ask for the order's history, so one order is loaded at a time.
    for pk in pks:
        order = Order.objects.select_related("vendor", "client").get(pk=pk)
        if not confirming_rights.why_not_confirm(order, user):
            return order
    return None


def _next_link(user: User) -> SafeString:
    # After a decision the person usually goes on with the next order.
    waiting = line(user)
    if waiting.next is None:
        return SafeString()
    more = "1 more order waits" if waiting.count == 1 else f"{waiting.count} more orders wait"
    return format_html(
        ' {} for you: <a href="{}">review {}</a>.', more, url(waiting.next, "confirm"), waiting.next
    )


def with_next(message: str, user: User) -> SafeString:
    """The message with the number of orders that wait for the user and a link to the first one."""
    return format_html("{}{}", message, _next_link(user))


def about(request: HttpRequest, order: Order) -> dict[str, Any]:
    """The context that both pages of a waiting order share: comments, expiry, batch page."""
    return {
        "comments": comments.of(order),
        "comment_url": url(order, "comment"),
        "may_comment": request.user.has_perm("orders.comment_order"),
        "expires_at": expiry.expires_at(order),
        "expires_then": expiry.then(order),
        "together_url": f"{reverse('admin:orders_order_together')}?vendor={order.vendor_id}",
    }
