"""The circuit breaker of an account: MailOps stops it after bad outcomes, a person opens it."""

from __future__ import annotations

from django.conf import settings

from mailops.history import record
from orders.models import Attempt
from orders.models.attempt import Stage
from orders.sending.classification import Outcome
from vendors import rate_limit
from vendors.apis.replies import retry_after
from vendors.http import Reply
from vendors.models import Vendor
from vendors.verdicts import NotSent, Unknown, Verdict


def may_close(outcome: Outcome, verdict: Verdict) -> bool:
    # Then the account's row is written, so it has to be locked before the order's row.
    return isinstance(verdict, Unknown) or (
        isinstance(outcome, Reply) and outcome.status in (401, 403, 429)
    )


def after(vendor: Vendor, outcome: Outcome, verdict: Verdict) -> None:
    """Let the account rest after a 429, or stop it. The caller holds its row locked."""
    if isinstance(outcome, Reply) and outcome.status == 429:
        seconds = verdict.retry_after if isinstance(verdict, NotSent) else retry_after(outcome)
        rate_limit.rest(vendor, seconds)
    close_account(vendor, outcome, is_unknown=isinstance(verdict, Unknown))


def close_account(vendor: Vendor, outcome: Outcome | None, *, is_unknown: bool) -> None:
    # A refused key refuses every order. Unknown outcomes in a row may each hold a charge.
    if isinstance(outcome, Reply) and outcome.status in (401, 403):
        reason = (
            "The vendor does not accept the key. Enter it again and test it, then open sending."
        )
    elif is_unknown and _in_a_row(vendor):
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
    # A person who opened the account again resets the count.
    if vendor.opened_at:
        sent = sent.filter(sent_at__gte=vendor.opened_at)
    last = list(sent.order_by("-sent_at").values_list("stage", flat=True)[:limit])
    return last.count(Stage.UNKNOWN) == limit
