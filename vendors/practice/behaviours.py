"""What a practice vendor can do with a valid order instead of just taking it: when it charges, and
what it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from vendors.practice.wire_types import Answer, Call, Manner, Purchase, Twin, json_answer

FOLLOWED = "practice_followed"  # query mark of a request that followed a redirect
RUBBISH = b"<!doctype html><html><body><h1>We will be back soon</h1></body></html>"
BAD_KEY = "Invalid API key"
BROKEN = "Something went wrong on our side."
NOT_AVAILABLE = "The service is not available."
TOO_MANY = "Too many requests."
BUSY_SECONDS = 2


@dataclass(kw_only=True)
class Placing:
    """A valid order in front of the books. Each act says when, and whether, `charge` writes it
    there.

    `struck` are the domains that have the order's practice value.
    """

    twin: Twin
    call: Call
    purchase: Purchase
    fault: str = ""
    struck: Sequence[str] = ()
    is_written: bool = False

    def charge(self) -> Answer:
        """Take the money; the vendor's documented success."""
        call, purchase = self.call, self.purchase
        call.ledger.record_charge(
            vendor=call.vendor,
            account=call.account,
            request=purchase.request,
            reference=purchase.reference,
            domains=purchase.domains,
            mailboxes=purchase.mailboxes,
            details=purchase.details,
            body_sha256=call.body_sha256,
            status=purchase.status,
            fault=self.fault,
        )
        self.is_written = True
        return purchase.answer


Act = Callable[[Placing], Answer]


def charged_then(act: Act) -> Act:
    def charge_first(placing: Placing) -> Answer:
        placing.charge()
        return act(placing)

    return charge_first


def answered(manner: Manner) -> Act:
    """Charged, and the documented success travels in this manner."""
    return lambda placing: replace(placing.charge(), manner=manner)


def never_answered(placing: Placing) -> Answer:
    return Answer(manner=Manner.SILENCE)


def cut(placing: Placing) -> Answer:
    return Answer(manner=Manner.CUT)


def vendor_says(status: int, words: str) -> Act:
    """An error in the vendor's own shape."""
    return lambda placing: placing.twin.error(status, words)


def proxy_says(status: int) -> Act:
    """The error page of a proxy in front of the vendor."""
    title = f"{status} {HTTPStatus(status).phrase}"
    page = f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
    return lambda placing: Answer(
        status=status, body=page.encode(), headers={"Content-Type": "text/html"}
    )


def refused_field(placing: Placing) -> Answer:
    return placing.twin.refuse_field(placing.purchase, placing.struck[0])


def no_funds(placing: Placing) -> Answer:
    return placing.twin.refuse_payment(placing.purchase) or placing.charge()


def charge_failed(placing: Placing) -> Answer:
    answer = placing.charge()
    return placing.twin.fail_charge() if placing.twin.fail_charge else answer


def _come_back(placing: Placing, when: str) -> Answer:
    answer = placing.twin.error(429, TOO_MANY)
    return replace(answer, headers={**answer.headers, "Retry-After": when})


def _has_come_back(placing: Placing) -> bool:
    call = placing.call
    return call.ledger.has_seen(
        vendor=call.vendor, account=call.account, body_sha256=call.body_sha256
    )


def busy(placing: Placing) -> Answer:
    return placing.charge() if _has_come_back(placing) else busy_always(placing)


def busy_date(placing: Placing) -> Answer:
    if _has_come_back(placing):
        return placing.charge()
    return _come_back(
        placing, format_datetime(datetime.now(UTC) + timedelta(seconds=BUSY_SECONDS), usegmt=True)
    )


def busy_always(placing: Placing) -> Answer:
    return _come_back(placing, str(BUSY_SECONDS))


def redirect(status: int) -> Act:
    """Charges who comes to the new place."""

    def send_elsewhere(placing: Placing) -> Answer:
        call = placing.call
        if call.is_followed:
            return placing.charge()
        joint = "&" if "?" in call.target else "?"
        return Answer(
            status=status,
            headers={"Location": f"{call.target}{joint}{FOLLOWED}={call.body_sha256}"},
        )

    return send_elsewhere


def rubbish(placing: Placing) -> Answer:
    placing.charge()
    return Answer(body=RUBBISH, headers={"Content-Type": "text/html; charset=utf-8"})


def truncated(placing: Placing) -> Answer:
    answer = placing.charge()
    if not answer.body:  # nothing to cut: announce a body that does not come whole
        return replace(answer, body=b"{}", manner=Manner.SHORT)
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def wrong_shape(placing: Placing) -> Answer:
    return json_answer(placing.charge().status, ["accepted"])


def wrong_charset(placing: Placing) -> Answer:
    answer = placing.charge()
    body = (answer.body or b"{}").decode().encode("utf-16")
    return replace(answer, body=body, headers={"Content-Type": "application/json; charset=utf-16"})


def no_content(placing: Placing) -> Answer:
    placing.charge()
    return Answer(status=204)


def odd_accepted(placing: Placing) -> Answer:
    """For a vendor whose documented success is a 202 without a body, JSON could pass for it; text
    can't.
    """
    if placing.charge().status == 202:
        return Answer(status=202, body=b"Thank you", headers={"Content-Type": "text/plain"})
    return json_answer(202, {"message": "Thank you"})


def other_order(placing: Placing) -> Answer:
    """The number of another order in place of its own, wherever the answer names one."""
    own, earlier = placing.purchase.reference, placing.call.charges()
    other = earlier[-1].reference if earlier else own[::-1]
    answer = placing.charge()
    return (
        replace(answer, body=answer.body.replace(own.encode(), other.encode())) if own else answer
    )


def partial(placing: Placing) -> Answer:
    if placing.twin.without:
        placing.purchase = placing.twin.without(placing.purchase, placing.struck)
    return placing.charge()
