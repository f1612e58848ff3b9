"""The breaker: an account closes itself where going on would lose more. A person opens it again."""

from __future__ import annotations

from django.conf import settings

from mailops.history import record
from orders.models import Attempt
from orders.models.attempt import Stage
from vendors.http import Lost, NoConnection, Reply
from vendors.models import Vendor
from vendors.verdicts import Unknown, Verdict


def may_close(outcome: Reply | NoConnection | Lost, verdict: Verdict) -> bool:
    """Whether the account's row may be written after this outcome, so that it has to be locked
    before the order's.
    """
    return isinstance(verdict, Unknown) or (
        isinstance(outcome, Reply) and outcome.status in (401, 403, 429)
    )


def close_account(vendor: Vendor, outcome: Reply | NoConnection | Lost | None, stage: str) -> None:
    """Stop an account whose key is refused, or whose outcomes are unknown several times in a row,
    before more.
    """
    if isinstance(outcome, Reply) and outcome.status in (401, 403):
        reason = (
            "The vendor does not accept the key. Enter it again and test it, then open sending."
        )
    elif stage == Stage.UNKNOWN and _in_a_row(vendor):
        reason = (
            f"{settings.UNKNOWN_IN_A_ROW} outcomes in a row are unknown. Check the vendor, then"
            " open sending."
        )
    else:
        return
    if Vendor.objects.filter(pk=vendor.pk, stopped_at=None).exists():
        vendor.stop(reason=reason)
        record("vendor.stopped", vendor, reason=reason)


def _in_a_row(vendor: Vendor) -> bool:
    limit: int = settings.UNKNOWN_IN_A_ROW
    if limit <= 0:
        return False
    sent = Attempt.objects.filter(order__vendor=vendor, sent_at__isnull=False).exclude(
        stage=Stage.SENDING
    )
    if vendor.opened_at:
        sent = sent.filter(sent_at__gte=vendor.opened_at)
    last = list(sent.order_by("-sent_at").values_list("stage", flat=True)[:limit])
    return last.count(Stage.UNKNOWN) == limit
