"""The acts of a person in the practice dashboard. Each is done and written in the books at once.

No page of a vendor documents its dashboard: these stand for what a person can do there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from vendors.practice.ledger import (
    CANCEL,
    CREATED,
    DELIVER,
    MONEY,
    PROCESS,
    READS,
    REFUND,
    Charge,
    Ledger,
)

OK, HANG, FAIL, RUBBISH = "ok", "hang", "fail", "rubbish"
MODES = {
    OK: "As usual",
    HANG: "Never",
    FAIL: "With an error",
    RUBBISH: "With a web page",
}


class BadAct(Exception):
    """The act can't be done; the message is for the person."""


def perform(ledger: Ledger, asked: Mapping[str, Any], *, vendors: Mapping[str, Any]) -> str:
    """Do one act. Returns a sentence about it; raises `BadAct`.

    `asked` has `act` and, beside it, `vendor` and `mode` for *reads*, `amount` and `kind` for a
    refund; an order by `order` (its number in the books, or the vendor's) or by `domain` alone.
    """
    with ledger.transaction():
        name = str(asked.get("act", ""))
        if name == READS:
            return _reads(ledger, asked, vendors)
        if name not in _ACTS:
            raise BadAct(f"There are the acts {', '.join([*_ACTS, READS])}.")
        charge, domains = _order(ledger, asked)
        try:
            details, says = _ACTS[name](ledger, charge, asked)
        except ValueError as error:
            raise BadAct(str(error)) from None
        ledger.record_act(
            name,
            vendor=charge.vendor,
            account=charge.account,
            charge=charge.id,
            domains=domains,
            details=details,
        )
        return f"{', '.join(domains) or charge.reference}: {says}"


def mode_of(ledger: Ledger, vendor: str) -> str:
    """How the vendor answers reads now."""
    acts = ledger.acts(act=READS, vendor=vendor, limit=1)
    return str(acts[0].details["mode"]) if acts else OK


def _reads(ledger: Ledger, asked: Mapping[str, Any], vendors: Mapping[str, Any]) -> str:
    vendor, mode = str(asked.get("vendor", "")), str(asked.get("mode", ""))
    if vendor not in vendors or mode not in MODES:
        raise BadAct(f"Reads are of {', '.join(vendors)}, and {', '.join(MODES)}.")
    ledger.record_act(READS, vendor=vendor, details={"mode": mode})
    return f"Questions to {vendor} are answered: {MODES[mode].lower()}."


def _order(ledger: Ledger, asked: Mapping[str, Any]) -> tuple[Charge, list[str]]:
    """The order of the act and the domains that it concerns."""
    number, domain = str(asked.get("order", "")), str(asked.get("domain", "")).lower()
    found = [
        charge
        for charge in [*ledger.charges(), *ledger.created()]
        if (not number or number in (str(charge.id), charge.reference))
        and (not domain or domain in charge.domains)
    ]
    if not (number or domain) or not found:
        raise BadAct("There is no such order in the books.")
    if len(found) > 1:
        raise BadAct("Several orders hold that domain: say which one, by its number in the books.")
    return found[0], [domain] if domain else list(found[0].domains)


Done = tuple[dict[str, Any], str]


def _process(ledger: Ledger, charge: Charge, asked: Mapping[str, Any]) -> Done:
    ledger.record_processing(charge)
    charged = {"amount": charge.amount, "currency": charge.currency}
    return charged, f"processed, {charge.amount} {charge.currency} charged."


def _must_be_charged(charge: Charge) -> None:
    if charge.status == CREATED:
        raise BadAct("That order was only created. Process it first.")


def _deliver(ledger: Ledger, charge: Charge, asked: Mapping[str, Any]) -> Done:
    _must_be_charged(charge)
    return {}, "delivered."


def _cancel(ledger: Ledger, charge: Charge, asked: Mapping[str, Any]) -> Done:
    _must_be_charged(charge)
    return {}, "cancelled."


def _refund(ledger: Ledger, charge: Charge, asked: Mapping[str, Any]) -> Done:
    kind = str(asked.get("kind", MONEY))
    try:
        amount = Decimal(str(asked.get("amount", ""))).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise BadAct("Say how much comes back, such as 13.00.") from None
    ledger.record_refund(charge, amount=amount, kind=kind)
    return {"amount": f"{amount}", "kind": kind}, f"{amount} {charge.currency} come back ({kind})."


_ACTS: Mapping[str, Callable[[Ledger, Charge, Mapping[str, Any]], Done]] = {
    PROCESS: _process,
    DELIVER: _deliver,
    CANCEL: _cancel,
    REFUND: _refund,
}
