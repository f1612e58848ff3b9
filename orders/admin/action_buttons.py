"""The buttons on an order's page, by the order's state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import HttpRequest

from orders.admin.confirmation_panel import confirm_label
from orders.admin.order_pages import url, why_not_edit
from orders.drafting import drafts
from orders.models import Order, State
from orders.models.attempt import SETTLED
from orders.outcomes import created_orders
from orders.plan import Plan
from orders.review import confirmations


@dataclass(frozen=True, kw_only=True)
class Action:
    """A button. `why_not` is the reason why this person may not use the button, or empty."""

    name: str
    label: str
    url: str
    kind: str = ""
    why_not: str = ""
    posts: bool = False


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An action before the person's permission is checked."""

    name: str
    label: str
    permission: str
    kind: str = ""
    why_not: str = ""
    posts: bool = False


TO_REDO = (State.REFUSED, State.PARTLY, State.UNDELIVERED)
CHECK_AGAIN = Offer(name="check", label="Check the vendor again", permission="orders.settle_order")


def actions(request: HttpRequest, order: Order, current: Plan | None) -> list[Action]:
    """The buttons for the order's state.

    A button that this person may not use is shown with the reason, not hidden.
    """
    user = request.user
    assert isinstance(user, User)
    offers = OFFERS.get(State(order.state))
    return shown(order, user, offers(order, user, current) if offers else ())


def shown(order: Order, user: User, offers: Iterable[Offer]) -> list[Action]:
    return [
        Action(
            name=offer.name,
            label=offer.label,
            url=url(order, offer.name),
            kind=offer.kind,
            why_not=(
                offer.why_not
                if user.has_perm(offer.permission)
                else "Your role does not include this."
            ),
            posts=offer.posts,
        )
        for offer in offers
    ]


def _draft(order: Order, user: User, current: Plan | None) -> Iterator[Offer]:
    yield _cancel(order, user)
    others = why_not_edit(order, user)
    yield Offer(name="edit", label="Edit", permission="orders.change_order", why_not=others)
    stop = current.blocks_review[0].message if current and current.blocks_review else ""
    yield Offer(
        name="send",
        label="Send for confirmation",
        permission="orders.change_order",
        kind="primary",
        why_not=others or stop,
        posts=True,
    )


def _review(order: Order, user: User, current: Plan | None) -> Iterator[Offer]:
    yield _cancel(order, user)
    # A drafter may take the own order back without the right to confirm.
    own = order.drafted_by_id == user.pk and user.has_perm("orders.change_order")
    permission = "orders.change_order" if own else "orders.confirm_order"
    yield Offer(name="back", label="Send back", permission=permission)
    # A verdict "not placed" brought the order here. A later look may show that it was wrong.
    if _was_settled(order):
        yield CHECK_AGAIN
    stop = current.blocking[0].message if current and current.blocking else ""
    yield Offer(
        name="confirm",
        label=(
            confirm_label(current.cost.due_now, current.cost.due_later) if current else "Confirm"
        ),
        permission="orders.confirm_order",
        kind="primary",
        why_not=confirmations.why_not(order, user, current) or stop,
    )


def _confirmed(order: Order, user: User, current: Plan | None) -> Iterator[Offer]:
    yield _cancel(order, user)


def _unknown(order: Order, user: User, current: Plan | None) -> Iterator[Offer]:
    yield Offer(
        name="check", label="Check the vendor", permission="orders.settle_order", kind="primary"
    )


def _created(order: Order, user: User, current: Plan | None) -> Iterator[Offer]:
    why_not, permission = created_orders.why_not(order, user), "orders.process_order"
    yield Offer(name="leave", label="Leave it", permission=permission, why_not=why_not)
    if _was_settled(order):
        yield CHECK_AGAIN
    yield Offer(
        name="processed",
        label="It was processed",
        permission=permission,
        kind="primary",
        why_not=why_not,
    )


def _accepted(order: Order, user: User, current: Plan | None) -> Iterator[Offer]:
    if drafts.has_rest(order):
        yield Offer(
            name="copy",
            label="Copy the rest into a new draft",
            permission="orders.add_order",
            posts=True,
        )
    if _was_settled(order):
        yield CHECK_AGAIN


def _ended(order: Order, user: User, current: Plan | None) -> Iterator[Offer]:
    yield Offer(
        name="copy",
        label=f"Copy {'the rest ' if drafts.has_rest(order) else ''}into a new draft",
        permission="orders.add_order",
        kind="primary" if order.state in TO_REDO else "",
        posts=True,
    )
    if created_orders.is_left(order):
        yield Offer(
            name="processed",
            label="It was processed after all",
            permission="orders.process_order",
            why_not=created_orders.why_not(order, user),
        )
    elif order.state == State.CANCELLED and _was_settled(order):
        yield CHECK_AGAIN


# A worker has an order that is being sent: nobody can do anything with it.
OFFERS: dict[State, Callable[[Order, User, Plan | None], Iterator[Offer]]] = {
    State.DRAFT: _draft,
    State.REVIEW: _review,
    State.CONFIRMED: _confirmed,
    State.UNKNOWN: _unknown,
    State.ACCEPTED: _accepted,
    State.CREATED: _created,
    State.REFUSED: _ended,
    State.PARTLY: _ended,
    State.UNDELIVERED: _ended,
    State.CANCELLED: _ended,
    State.DELIVERED: _ended,
}


def _cancel(order: Order, user: User) -> Offer:
    may_cancel = user.has_perm("orders.confirm_order") or order.drafted_by_id == user.pk
    return Offer(
        name="cancel",
        label="Cancel order",
        permission="orders.cancel_order",
        kind="danger",
        why_not="" if may_cancel else "It is not yours.",
    )


def _was_settled(order: Order) -> bool:
    return order.attempts.filter(stage__in=SETTLED).exists()
