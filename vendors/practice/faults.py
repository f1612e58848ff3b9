"""Practice values: domain names that make something go wrong, and what each of them does to an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from vendors.practice.ledger import Charge
from vendors.practice.wire import Answer, Call, Manner, Purchase, Twin, json_answer

FOLLOWED = "practice_followed"  # query mark of a request that followed a redirect
RUBBISH = b"<!doctype html><html><body><h1>We will be back soon</h1></body></html>"
TOO_MANY = "Too many requests."
BAD_KEY = "Invalid API key"
BROKEN = "Something went wrong on our side."


@dataclass(kw_only=True)
class Placing:
    """A valid order in front of the books. Each fault says when, and whether, `charge` writes it there."""

    twin: Twin
    call: Call
    purchase: Purchase
    fault: str
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

    def place(self) -> Answer:
        return FAULTS[self.fault].act(self) if self.fault else self.charge()


@dataclass(frozen=True)
class Fault:
    """A practice value. `words` say to a person what happens to an order with such a domain."""

    words: str
    act: Callable[[Placing], Answer]


def _refused_field(placing: Placing) -> Answer:
    domain = next(name for name in placing.purchase.domains if fault_of(name) == "refused-field")
    return placing.twin.refuse_field(placing.purchase, domain)


def _no_funds(placing: Placing) -> Answer:
    return placing.twin.refuse_payment(placing.purchase) or placing.charge()


def _bad_key(placing: Placing) -> Answer:
    return placing.twin.error(401, BAD_KEY)


def _charge_failed(placing: Placing) -> Answer:
    answer = placing.charge()
    return placing.twin.fail_charge() if placing.twin.fail_charge else answer


def _never_answered(placing: Placing) -> Answer:
    return Answer(manner=Manner.SILENCE)


def _cut(placing: Placing) -> Answer:
    return Answer(manner=Manner.CUT)


def _charged_then(act: Callable[[Placing], Answer]) -> Callable[[Placing], Answer]:
    def charge_first(placing: Placing) -> Answer:
        placing.charge()
        return act(placing)

    return charge_first


def _slow(placing: Placing) -> Answer:
    return replace(placing.charge(), manner=Manner.SLOW)


def _drip(placing: Placing) -> Answer:
    return replace(placing.charge(), manner=Manner.DRIP)


def _huge(placing: Placing) -> Answer:
    return replace(placing.charge(), manner=Manner.ENDLESS)


def _busy(placing: Placing) -> Answer:
    call = placing.call
    if call.ledger.has_seen(vendor=call.vendor, account=call.account, body_sha256=call.body_sha256):
        return placing.charge()
    answer = placing.twin.error(429, TOO_MANY)
    return replace(answer, headers={**answer.headers, "Retry-After": "2"})


def _error(placing: Placing) -> Answer:
    return placing.twin.error(500, BROKEN)


def _unavailable(placing: Placing) -> Answer:
    return placing.twin.error(503, "The service is not available.")


def _rubbish(placing: Placing) -> Answer:
    placing.charge()
    return Answer(body=RUBBISH, headers={"Content-Type": "text/html; charset=utf-8"})


def _truncated(placing: Placing) -> Answer:
    answer = placing.charge()
    if not answer.body:  # nothing to cut: announce a body that does not come whole
        return replace(answer, body=b"{}", manner=Manner.SHORT)
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _wrong_shape(placing: Placing) -> Answer:
    return json_answer(placing.charge().status, ["accepted"])


def _partial(placing: Placing) -> Answer:
    if placing.twin.without:
        gone = [name for name in placing.purchase.domains if fault_of(name) == "partial"]
        placing.purchase = placing.twin.without(placing.purchase, gone)
    return placing.charge()


def _redirect(placing: Placing) -> Answer:
    if placing.call.is_followed:
        return placing.charge()
    target = placing.call.target
    return Answer(status=307, headers={"Location": f"{target}{'&' if '?' in target else '?'}{FOLLOWED}=1"})


FAULTS: dict[str, Fault] = {
    "refused-field": Fault(
        "The vendor refuses the order and names the field, domain or mailbox it does not like. Nothing is charged.",
        _refused_field,
    ),
    "no-funds": Fault(
        "The vendor refuses the order because the account can't pay for it. Nothing is charged. "
        "ColdMailReseller takes an order that is only created, as no money is due yet.",
        _no_funds,
    ),
    "bad-key": Fault("The vendor says that the key is wrong. Nothing is charged.", _bad_key),
    "slow": Fault("The vendor takes the order and answers after 3 seconds. All is well.", _slow),
    "busy": Fault(
        "The vendor asks to come back in 2 seconds; the same order is taken the second time it arrives. "
        "One charge in all.",
        _busy,
    ),
    "timeout-before": Fault("The vendor never answers and charges nothing.", _never_answered),
    "timeout-after": Fault(
        "The vendor takes the order, charges it, and never answers.", _charged_then(_never_answered)
    ),
    "cut-before": Fault("The connection is cut before the vendor takes the order. Nothing is charged.", _cut),
    "cut-after": Fault("The vendor charges the order, then the connection is cut.", _charged_then(_cut)),
    "error-before": Fault("The vendor answers with an error of its own (500) and charges nothing.", _error),
    "error-after": Fault("The vendor charges the order, yet answers with an error (500).", _charged_then(_error)),
    "unavailable": Fault("The vendor says that it is not available (503) and charges nothing.", _unavailable),
    "redirect": Fault(
        "The vendor sends the request elsewhere (307) and charges nothing. Following it would place the order.",
        _redirect,
    ),
    "rubbish": Fault("The vendor charges the order and answers with a web page.", _rubbish),
    "truncated": Fault("The vendor charges the order and its answer ends in the middle.", _truncated),
    "wrong-shape": Fault("The vendor charges the order and answers with a list nobody documents.", _wrong_shape),
    "drip": Fault("The vendor charges the order and sends its answer one byte a second.", _drip),
    "huge": Fault("The vendor charges the order and sends up to 100 MB of answer.", _huge),
    "partial": Fault(
        "The vendor takes the order but this domain never comes. ColdMailReseller says so at once and leaves it out of "
        "a domain order; the others charge it and say nothing.",
        _partial,
    ),
    "never-delivered": Fault(
        "The vendor takes and charges the order, then stays at work on this domain for ever.", Placing.charge
    ),
    "charge-failed": Fault(
        "ScaledMail refuses (400), saying that it made the subscription but could not charge it; it may still charge "
        "later, so the order is in the books. The other vendors take the order as usual.",
        _charge_failed,
    ),
}


def fault_of(domain: str) -> str:
    """The practice value that a domain's name begins with, as the whole first label or before a hyphen."""
    label = domain.lower().partition(".")[0]
    return next((name for name in FAULTS if label == name or label.startswith(f"{name}-")), "")


def first_fault(domains: Iterable[str]) -> str:
    """The practice value of an order: that of the first domain that has one."""
    return next((fault for fault in map(fault_of, domains) if fault), "")


def is_shown(domain: str) -> bool:
    """Whether a vendor's reads know the domain at all once it is charged."""
    return fault_of(domain) != "partial"


def is_ready(call: Call, charge: Charge, domain: str) -> bool:
    """Whether the vendor has delivered what was charged for the domain."""
    age = datetime.now(UTC) - datetime.fromisoformat(charge.at)
    return age >= timedelta(seconds=call.delivery_seconds) and fault_of(domain) not in ("partial", "never-delivered")
