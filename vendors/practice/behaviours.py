"""The behaviours of a practice vendor with a valid order: when it charges and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from vendors.practice.wire_types import Answer, Call, Manner, Purchase, Twin, json_answer

# A query name in the target of a redirect: a request that bears it followed the redirect.
FOLLOWED = "practice_followed"
RUBBISH = b"<!doctype html><html><body><h1>We will be back soon</h1></body></html>"
BAD_KEY = "Invalid API key"
BROKEN = "Something went wrong on our side."
NOT_AVAILABLE = "The service is not available."
TOO_MANY = "Too many requests."
BUSY_SECONDS = 2


@dataclass(kw_only=True)
class Placing:
    """A valid order. Its behaviour decides when `charge` writes it to the ledger, if at all.

    `struck` are the domains with the order's practice value.
    """

    twin: Twin
    call: Call
    purchase: Purchase
    fault: str = ""
    struck: Sequence[str] = ()
    is_written: bool = False

    def charge(self) -> Answer:
        """Write the charge to the ledger. Returns the vendor's documented success."""
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
            amount=purchase.amount,
            currency=purchase.currency,
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
    return lambda placing: replace(placing.charge(), manner=manner)


def never_answered(placing: Placing) -> Answer:
    return Answer(manner=Manner.SILENCE)


def cut(placing: Placing) -> Answer:
    return Answer(manner=Manner.CUT)


def vendor_says(status: int, words: str) -> Act:
    return lambda placing: placing.twin.error(status, words)


def proxy_says(status: int) -> Act:
    # The page that nginx shows, without the vendor's own error shape.
    title = f"{status} {HTTPStatus(status).phrase}"
    head, body = f"<title>{title}</title>", f"<center><h1>{title}</h1></center>"
    page = f"<html><head>{head}</head><body>{body}</body></html>"
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
    # The same bytes again: a retry repeats its request exactly.
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
    # A client that follows the redirect places the order. MailOps must never do that.
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
    if not answer.body:
        # There is nothing to cut, so the answer announces a body that does not come whole.
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
    # Woodpecker's documented success is a 202 without a body. JSON could pass for that, text can't.
    if placing.charge().status == 202:
        return Answer(status=202, body=b"Thank you", headers={"Content-Type": "text/plain"})
    return json_answer(202, {"message": "Thank you"})


def other_order(placing: Placing) -> Answer:
    # Without an earlier order, the number is the own one reversed, which no order has.
    own, earlier = placing.purchase.reference, placing.call.charges()
    other = earlier[-1].reference if earlier else own[::-1]
    answer = placing.charge()
    return (
        replace(answer, body=answer.body.replace(own.encode(), other.encode())) if own else answer
    )


def partial(placing: Placing) -> Answer:
    # Only some vendors document that they leave domains out. The others charge for all of them.
    if placing.twin.without:
        placing.purchase = placing.twin.without(placing.purchase, placing.struck)
    return placing.charge()
