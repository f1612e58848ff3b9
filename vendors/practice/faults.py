"""Practice values: beginnings of domain names, each with a fault that it causes in an order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vendors.practice import behaviours
from vendors.practice.behaviours import Act, Placing, charged_then
from vendors.practice.ledger import CANCEL, DELIVER, Charge
from vendors.practice.wire_types import Answer, Call, Manner, Purchase, Twin


@dataclass(frozen=True)
class Fault:
    """A practice value. `words` tell a person what happens to an order with such a domain."""

    words: str
    act: Act


def _elsewhere(status: int) -> Fault:
    words = (
        "The vendor sends the request elsewhere ({}) and charges nothing. Following it would place"
        " the order."
    )
    return Fault(words.format(status), behaviours.redirect(status))


def _proxy_before(status: int) -> Fault:
    words = "A proxy in front of the vendor answers with an error page ({}) and nothing is charged."
    return Fault(words.format(status), behaviours.proxy_says(status))


def _proxy_after(status: int) -> Fault:
    words = (
        "The vendor charges the order, yet a proxy in front of it answers with an error page ({})."
    )
    return Fault(words.format(status), charged_then(behaviours.proxy_says(status)))


# The texts stand on account pages and in docs/practice.md.
FAULTS: dict[str, Fault] = {
    # Refused, so nothing is charged.
    "refused-field": Fault(
        "The vendor refuses the order and names the field, domain or mailbox it does not like."
        " Nothing is charged.",
        behaviours.refused_field,
    ),
    "no-funds": Fault(
        "The vendor refuses the order because the account can't pay for it. Nothing is charged. "
        "ColdMailReseller takes an order that is only created, as no money is due yet.",
        behaviours.no_funds,
    ),
    "bad-key": Fault(
        "The vendor says that the key is wrong. Nothing is charged.",
        behaviours.vendor_says(401, behaviours.BAD_KEY),
    ),
    # The vendor answers late, or asks to come back.
    "slow": Fault(
        "The vendor takes the order and answers after 3 seconds. All is well.",
        behaviours.answered(Manner.SLOW),
    ),
    "busy": Fault(
        "The vendor asks to come back in 2 seconds; the same order is taken the second time it"
        " arrives. One charge in all.",
        behaviours.busy,
    ),
    "busy-date": Fault(
        "The vendor asks to come back at a time that is 2 seconds away; the same order is taken the"
        " second time it arrives. One charge in all.",
        behaviours.busy_date,
    ),
    "busy-always": Fault(
        "The vendor asks to come back in 2 seconds, every time, and charges nothing.",
        behaviours.busy_always,
    ),
    # No answer, before or after the charge: MailOps can't tell these pairs apart.
    "timeout-before": Fault(
        "The vendor never answers and charges nothing.", behaviours.never_answered
    ),
    "timeout-after": Fault(
        "The vendor takes the order, charges it, and never answers.",
        charged_then(behaviours.never_answered),
    ),
    "cut-before": Fault(
        "The connection is cut before the vendor takes the order. Nothing is charged.",
        behaviours.cut,
    ),
    "cut-after": Fault(
        "The vendor charges the order, then the connection is cut.", charged_then(behaviours.cut)
    ),
    "cut-headers": Fault(
        "The vendor charges the order, then the connection is cut in the middle of the answer's"
        " headers.",
        behaviours.answered(Manner.CUT_HEAD),
    ),
    "error-before": Fault(
        "The vendor answers with an error of its own (500) and charges nothing.",
        behaviours.vendor_says(500, behaviours.BROKEN),
    ),
    "error-after": Fault(
        "The vendor charges the order, yet answers with an error (500).",
        charged_then(behaviours.vendor_says(500, behaviours.BROKEN)),
    ),
    "unavailable": Fault(
        "The vendor says that it is not available (503) and charges nothing.",
        behaviours.vendor_says(503, behaviours.NOT_AVAILABLE),
    ),
    "unavailable-after": _proxy_after(503),
    "bad-gateway-before": _proxy_before(502),
    "bad-gateway-after": _proxy_after(502),
    "gateway-timeout-before": _proxy_before(504),
    "gateway-timeout-after": _proxy_after(504),
    "redirect": _elsewhere(307),
    "redirect-301": _elsewhere(301),
    "redirect-302": _elsewhere(302),
    "redirect-308": _elsewhere(308),
    # Charged, with an answer that can't be read as the documented one.
    "rubbish": Fault(
        "The vendor charges the order and answers with a web page.", behaviours.rubbish
    ),
    "truncated": Fault(
        "The vendor charges the order and its answer ends in the middle.", behaviours.truncated
    ),
    "truncated-headers": Fault(
        "The vendor charges the order and its answer ends in the middle of its headers.",
        behaviours.answered(Manner.SHORT_HEAD),
    ),
    "wrong-shape": Fault(
        "The vendor charges the order and answers with a list nobody documents.",
        behaviours.wrong_shape,
    ),
    "wrong-charset": Fault(
        "The vendor charges the order and its answer is JSON in UTF-16.", behaviours.wrong_charset
    ),
    "no-content": Fault(
        "The vendor charges the order and answers that it has nothing to say (204).",
        behaviours.no_content,
    ),
    "odd-accepted": Fault(
        "The vendor charges the order and answers 202 with a body that nobody documents: plain text"
        " from Woodpecker, JSON that says nothing from the others.",
        behaviours.odd_accepted,
    ),
    "other-order": Fault(
        "The vendor charges the order and answers with the number of the account's newest earlier"
        " order, or a made-up one where there is none. ScaledMail, Woodpecker and SmartSenders"
        " orders of plain addresses are answered as usual: those answers have no number.",
        behaviours.other_order,
    ),
    "drip": Fault(
        "The vendor charges the order and sends its answer one byte a second.",
        behaviours.answered(Manner.DRIP),
    ),
    "huge": Fault(
        "The vendor charges the order and sends up to 100 MB of answer.",
        behaviours.answered(Manner.ENDLESS),
    ),
    # Charged, and the delivery is not what was ordered.
    "partial": Fault(
        "The vendor takes the order but this domain never comes. ColdMailReseller says so at once"
        " and leaves it out of a domain order; the others charge it and say nothing.",
        behaviours.partial,
    ),
    "never-delivered": Fault(
        "The vendor takes and charges the order, then stays at work on this domain for ever.",
        Placing.charge,
    ),
    "late": Fault(
        "The vendor takes and charges the order, and delivers it after three times as long.",
        Placing.charge,
    ),
    "few-mailboxes": Fault(
        "The vendor takes and charges the order, and lists one mailbox of this domain too few until"
        " somebody presses “Deliver now” in the practice dashboard. SmartSenders lists no"
        " mailboxes, so all is well there.",
        Placing.charge,
    ),
    "cancelled-later": Fault(
        "The vendor takes, charges and delivers the order. 30 seconds later this domain is in none"
        " of its lists any more.",
        Placing.charge,
    ),
    "other-user": Fault(
        "ColdMailReseller takes and charges the order, and lists this domain's subscription under"
        " another user of the key. The other vendors take the order as usual.",
        Placing.charge,
    ),
    "charge-failed": Fault(
        "ScaledMail refuses (400), saying that it made the subscription but could not charge it; it"
        " may still charge later, so the order is in the books. The other vendors take the order as"
        " usual.",
        behaviours.charge_failed,
    ),
}


def fault_of(domain: str) -> str:
    """The longest practice value that is the domain's first label, or begins it before a hyphen."""
    label = domain.lower().partition(".")[0]
    found = [name for name in FAULTS if label == name or label.startswith(f"{name}-")]
    return max(found, key=len, default="")


# An order has one fault: the first domain with a practice value decides.
def first_fault(domains: Iterable[str]) -> str:
    return next((fault for fault in map(fault_of, domains) if fault), "")


def place(twin: Twin, call: Call, purchase: Purchase) -> tuple[Placing, Answer]:
    """Treat a valid order as its domains' names ask. Returns the order's fate and the answer."""
    fault = first_fault(purchase.domains)
    struck = [name for name in purchase.domains if fault_of(name) == fault]
    placing = Placing(twin=twin, call=call, purchase=purchase, fault=fault, struck=struck)
    return placing, FAULTS[fault].act(placing) if fault else placing.charge()


# In the lists of a vendor: acts in the practice dashboard come before the practice values.
LEAVES_AFTER = 30  # seconds after the delivery
LATE = 3  # times as long


def _delivers_after(call: Call, domain: str) -> timedelta:
    return timedelta(seconds=call.delivery_seconds * (LATE if fault_of(domain) == "late" else 1))


def _age(charge: Charge) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(charge.at)


def is_cancelled(call: Call, charge: Charge, domain: str) -> bool:
    return call.was_done(CANCEL, charge, domain)


def has_left(call: Call, charge: Charge, domain: str) -> bool:
    if fault_of(domain) != "cancelled-later":
        return False
    return _age(charge) >= _delivers_after(call, domain) + timedelta(seconds=LEAVES_AFTER)


def is_shown(call: Call, charge: Charge, domain: str) -> bool:
    if has_left(call, charge, domain):
        return False
    return fault_of(domain) != "partial" or call.was_done(DELIVER, charge, domain)


def is_ready(call: Call, charge: Charge, domain: str) -> bool:
    if has_left(call, charge, domain):
        return False
    if call.was_done(DELIVER, charge, domain):
        return True
    never = fault_of(domain) in ("partial", "never-delivered")
    return not never and _age(charge) >= _delivers_after(call, domain)


def missing(call: Call, charge: Charge, domain: str) -> int:
    """The number of the domain's mailboxes that the vendor does not list."""
    is_few = fault_of(domain) == "few-mailboxes" and not call.was_done(DELIVER, charge, domain)
    return 1 if is_few else 0
