"""Who may confirm an order, by whose right, and how many have to."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models

from mailops.core.money import Totals
from mailops.history.models import Event
from orders.models import ConfirmationRule, Delegation, Order, State
from orders.models.confirmation_rule import Needed
from orders.models.delegation import RIGHT
from orders.models.state import PURCHASED


def needed(order: Order, due: Totals | None = None) -> Needed:
    """How many persons besides the editors have to confirm the order: the strictest rule counts.

    `due` is the cost by a plan just made, now and later; without it the cost as last stored.
    """
    due = order.due if due is None else due
    rules = list(ConfirmationRule.objects.about(order.vendor_id, order.client_id))
    if any(rule.first_contact for rule in rules) and not _is_first_use_of_contact(order):
        rules = [rule for rule in rules if not rule.first_contact]
    rules = [rule for rule in rules if rule.reaches(due)]
    if not rules:
        off = "The two-person rule is off for this account."
        return Needed(count=1) if order.vendor.two_person_rule else Needed(count=0, why=(off,))
    most = max(rule.confirmers for rule in rules)
    strictest = [rule for rule in rules if rule.confirmers == most]
    return Needed(count=most, why=tuple(why for rule in strictest for why in rule.why(due)))


def _is_first_use_of_contact(order: Order) -> bool:
    if order.contact_id is None:
        return False
    others = Order.objects.filter(contact_id=order.contact_id, state__in=PURCHASED)
    return not others.exclude(pk=order.pk).exists()


def was_edited_by(order: Order, user: User) -> bool:
    # By name too: a deleted user may have been made again under the same name.
    editors = models.Q(user_id=user.pk) | models.Q(name=user.get_username())
    return order.editors.filter(editors).exists()


def has_contact_changed_by(order: Order, user: User) -> bool:
    # The contact is part of what is sent, so a change since the draft counts like an edit.
    if order.contact_id is None:
        return False
    changes = Event.objects.filter(subject_type="vendors.contact", subject_id=str(order.contact_id))
    return changes.filter(
        action="contact.changed", user_id=user.pk, at__gte=order.created_at
    ).exists()


def why_not_as_editor(order: Order, user: User) -> str:
    """Why the user may not say what became of the order, in words; empty when they may.

    Where the two-person rule holds, nobody who edited an order decides about its money alone.
    """
    if was_edited_by(order, user) and needed(order).count:
        return "You edited this order, so somebody else has to say this."
    return ""


def confirming_right(order: Order, user: User, digest: str = "") -> User | None:
    """The person whose right to confirm the user would use here: their own, or a delegated one.

    None where there is no such right.
    """
    if user.has_perm(RIGHT) and not getattr(user, "holds_delegated_right", False):
        return user
    givers = [delegation.from_user for delegation in Delegation.objects.to(user)]
    able = [giver for giver in givers if giver and not _touched(order, giver)]
    # Of several givers, one who has not confirmed this digest is still of use.
    confirmed = confirmer_names(order, digest) if len(able) > 1 else frozenset()
    return min(able, key=lambda giver: giver.get_username() in confirmed, default=None)


def _touched(order: Order, user: User) -> bool:
    return was_edited_by(order, user) or has_contact_changed_by(order, user)


def confirmer_names(order: Order, digest: str) -> frozenset[str]:
    # A delegate confirms in somebody else's name. Neither of the two may confirm again.
    given = order.confirmations.filter(round=order.round, digest=digest)
    pairs = given.values_list("name", "for_name")
    return frozenset(name for names in pairs for name in names if name)


def on_behalf(order: Order, user: User, digest: str) -> str:
    """ "For anna (delegated)." where the user would use a delegated right, else empty."""
    whose = confirming_right(order, user, digest)
    return f"For {whose.get_username()} (delegated)." if whose and whose.pk != user.pk else ""


def why_not_confirm(
    order: Order, user: User, *, due: Totals | None = None, digest: str = ""
) -> str:
    """Why the user may not confirm the order, in words; empty when they may.

    `due` and `digest` are those of a plan just made. Nobody confirms one digest twice.
    """
    if order.state != State.REVIEW:
        return f"This order is not waiting for confirmation. It reads: {order.get_state_display()}."
    if was_edited_by(order, user) and needed(order, due).count:
        return "You edited this order, so somebody else has to confirm it."
    if has_contact_changed_by(order, user) and needed(order, due).count:
        return (
            f"You changed the contact {order.contact} since this was drafted, so somebody else has"
            " to confirm it."
        )
    whose = confirming_right(order, user, digest)
    if whose is None:
        return "You have no right to confirm this order, by your role or passed on to you."
    if confirmer_names(order, digest) & {user.get_username(), whose.get_username()}:
        return "You confirmed this order already. Now a second person has to."
    return ""
