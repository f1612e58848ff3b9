"""Woodpecker: mailboxes on active domains that are owned there already.

Vendor page: developers.woodpecker.co/docs/domains/post-order-mailboxes/.

Not found in the vendor's pages: an order number, a list of orders, a state of a mailbox that failed
after its order was accepted (such a mailbox looks like one that never moves), a balance, the most
names in one question about availability.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django import forms

from vendors.apis import shared_rules
from vendors.apis.answers import Answer, has_keys, is_status, is_words
from vendors.apis.base import Api
from vendors.apis.forms import OptionsForm
from vendors.apis.reads import (
    amount,
    ask,
    could_not_ask,
    currency,
    listed_once,
    one_answer_each,
    over,
    owned_domains,
    rows,
    weighed,
)
from vendors.apis.replies import text, word
from vendors.apis.shared_rules import stop, warn
from vendors.apis.values import (
    DomainLine,
    Evidence,
    Offered,
    OrderLike,
    OwnedDomain,
    Product,
    Progress,
)
from vendors.cost import MONTH, CostSheet, FetchedPrice, PriceLike, cost_line, cost_sheet
from vendors.http import Read, ReadFailed, Request, Secret
from vendors.verdicts import Accepted, Problem, Refused

BASE = "/rest/v2/domains"
KEY = {"x-api-key": Secret("api_key")}
STATES = {"PAID": "ready", "ORDERED": "ordered"}
# The field of a documented 422, and our column for it.
PLACE = re.compile(r"mailboxes\[(\d{1,6})\](?:\.(\w{1,40}))?")
COLUMNS = {"email": "address", "first_name": "first_name", "last_name": "last_name"}
# The codes of a 422 after which the account can't pay for another order either.
NO_FUNDS = frozenset({"insufficient_funds", "payment_failed"})
# The codes of a 422 about the account. The page's list of them is open-ended.
BUSINESS = {
    "insufficient_funds": (
        "The prepaid funds at Woodpecker are too low. Nothing was bought.",
        "Add prepaid funds in Woodpecker, then copy this order into a new draft.",
    ),
    "payment_failed": (
        "Woodpecker could not take the payment. Nothing was ordered.",
        (
            "Look at Billing in Woodpecker and mend the payment there, then copy this order into a"
            " new draft."
        ),
    ),
    "domain_owner_required": (
        "Woodpecker has no owner details for the domains yet. Nothing was bought.",
        "Fill in the domain owner in Woodpecker, then copy this order into a new draft.",
    ),
}


class MailboxOptions(OptionsForm):
    provider = forms.ChoiceField(
        label="Provider of the mailboxes",
        help_text=(
            "Only for the cost: choose the provider that the domains have at Woodpecker. It is not"
            " sent."
        ),
    )
    price_choices = {"provider": "mailbox."}
    meanings = {"provider": {"*": "Only for the cost. It is not sent."}}


class Woodpecker(Api):
    name = "woodpecker"
    label = "Woodpecker"
    host = "https://api.woodpecker.co"
    dashboard_url = "https://app.woodpecker.co"
    docs_url = "https://developers.woodpecker.co/docs/domains/post-order-mailboxes/"
    secrets = {"api_key": "API key"}
    secret_help = {"api_key": "In Woodpecker under Marketplace, Integrations, API keys."}
    price_items = {
        "mailbox.<PROVIDER>": "One mailbox of this provider, such as mailbox.GOOGLE, for one month"
    }
    balance_note = (
        "Orders are paid from prepaid funds. Look in Woodpecker under Billing, Billing information,"
        " Prepaid balance."
    )
    batch_size = 10  # the page gives no number
    availability_option = "provider"
    # The vendor works on one request at a time, lets six wait for 15 seconds and drops the rest.
    max_concurrent = 1
    progress_batch = 1
    needs_listing_before = True
    REFUSALS = frozenset({400, 401, 403, 422})
    AccountForm = forms.Form
    products = {
        "mailboxes": Product(
            label="Mailboxes on a domain you have there",
            help="Adds mailboxes to active domains in your Woodpecker account.",
            OptionsForm=MailboxOptions,
            buys_domains=False,
        )
    }

    words = {"email": "address", "first_name": "first name", "last_name": "last name"}
    row_words = {"mailboxes": "mailbox"}
    row_keys = ("email",)

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        return shared_rules.bounded(
            *shared_rules.every_line(order, self.products["mailboxes"]),
            shared_rules.without_mailboxes(order),
            shared_rules.without_names(order),
            _provider_problems(order, prices),
        )

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        provider = word(order.options, "provider")
        count = len(shared_rules.mailboxes(order)) if provider else 0
        item, label = f"mailbox.{provider}", f"Mailboxes, {provider}"
        return cost_sheet([cost_line(prices, item=item, label=label, quantity=count)])

    def order_request(self, order: OrderLike) -> Request:
        mailboxes = [
            {"first_name": box.first_name, "last_name": box.last_name, "email": box.address}
            for box in shared_rules.mailboxes(order)
        ]
        return Request(
            method="POST",
            path=f"{BASE}/mailboxes/order",
            headers=KEY | {"Content-Type": "application/json"},
            body={"mailboxes": mailboxes},
        )

    def refusal(self, order: OrderLike, answer: Answer) -> Refused | None:
        # "post-order-mailboxes": a 422 is raised before the order is accepted, in its own form.
        if answer.status == 422:
            problems = _invalid(order, answer)
            if not problems:
                return None
            lacks_funds = answer.body["code"] in NO_FUNDS
            return Refused(problems=tuple(problems), lacks_funds=lacks_funds)
        if not _is_error(answer):
            return None
        says = answer.text(answer.body["details"]) or answer.text(answer.body["title"])
        return shared_rules.refused(order, answer.status, says)

    def success(self, order: OrderLike, answer: Answer) -> Accepted | None:
        # The documented success is a 202 without a body, so the status is all that it says: the
        # page's own samples take another 2xx for a failure. A server may write no body as `{}`.
        is_silent = answer.is_empty or answer.body == {}
        return Accepted() if answer.status == 202 and is_silent else None

    def is_throttled(self, answer: Answer) -> bool:
        # The page on limits: a request too many is dropped at once. It gives no status and no body
        # for that, so the body that all other errors of this request have has to be there.
        return _is_error(answer)

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        found: list[Evidence] = []
        for line in order.contents:
            try:
                states = _states(read, line.name)
            except ReadFailed as error:
                found.append(could_not_ask(f"{line.name} and what follows it on the order", error))
                break
            found += _evidence(line, states, before)
        return weighed(found)

    def listed(self, order: OrderLike, read: Read) -> list[str]:
        there: list[str] = []
        for line in order.contents:
            states = _states(read, line.name)
            there += [
                box.address.lower() for box in line.mailboxes if box.address.lower() in states
            ]
        return there

    def progress(self, order: OrderLike, read: Read) -> Progress:
        mailboxes = {}
        for line in order.contents:
            states = _states(read, line.name)
            for box in line.mailboxes:
                if state := STATES.get(states.get(box.address.lower(), "")):
                    mailboxes[box.address.lower()] = state
        return Progress(mailboxes=mailboxes)

    def owned_domains(self, settings: Mapping[str, Any], read: Read) -> list[OwnedDomain]:
        listed = rows(ask(read, BASE, headers=KEY), "domains")
        return owned_domains(listed, name="domain", count="mailboxes_count")

    def prices(self, settings: Mapping[str, Any], read: Read) -> list[FetchedPrice]:
        found = []
        for row in rows(ask(read, f"{BASE}/providers", headers=KEY), "providers"):
            provider, price = (
                text(row.get("name"), limit=80),
                amount(row.get("email_account_price")),
            )
            # Each provider has its own currency: the page's sample mixes two.
            money = currency(row.get("currency"))
            if provider and price is not None and money:
                price_row = FetchedPrice(
                    item=f"mailbox.{provider}",
                    label=f"{provider} mailbox",
                    unit=MONTH,
                    amount=price,
                    currency=money,
                )
                found.append(price_row)
        return listed_once(found)

    def availability(
        self, names: Sequence[str], read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        # "post-domain-availability" only asks, though it is a POST. `provider` is required.
        answer = ask(
            read,
            f"{BASE}/availability",
            query=(("provider", asked_with),),
            headers=KEY | {"Content-Type": "application/json"},
            body={"domains": list(names)},
        )
        return one_answer_each(names, [_offered(row) for row in rows(answer, "domains")])

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        ask(read, "/rest/v1/me", headers=KEY)
        return "The key works."


def _provider_problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> Iterator[Problem]:
    if not (provider := word(order.options, "provider")):
        fix = "Choose the provider that the domains have at Woodpecker."
        yield stop("The cost can't be told without the mailboxes' provider.", fix, field="provider")
    elif f"mailbox.{provider}" not in prices and any(
        item.startswith("mailbox.") for item in prices
    ):
        message = f"{provider} is not on the account's price list, so the cost can't be told."
        yield warn(
            message, "Choose a provider from the list, or fetch the prices again.", field="provider"
        )


def _is_error(answer: Answer) -> bool:
    """The documented body of every error but 422."""
    return (
        answer.has_keys("title", "status", "details", "timestamp")
        and all(is_words(answer.body[key]) for key in ("title", "details", "timestamp"))
        and is_status(answer.body["status"], answer.status)
    )


def _invalid(order: OrderLike, answer: Answer) -> list[Problem]:
    """The problems of a documented 422, none where the body has another shape."""
    keys = ("type", "message", "code")
    if not answer.has_keys(*keys, optional=("request_id", "fields")):
        return []
    body = answer.body
    fields = [] if body.get("fields") is None else body["fields"]
    is_documented = (
        all(is_words(body[key]) for key in keys)
        and isinstance(body.get("request_id"), str | None)
        and isinstance(fields, list)
        and all(map(_is_field, fields))
    )
    # "Possible values include" these codes. One that nobody documented may mean anything.
    if not is_documented or body["code"] not in (*BUSINESS, "invalid_fields"):
        return []
    if body["code"] in BUSINESS:
        message, fix = BUSINESS[body["code"]]
        return [Problem(message=message, fix=fix, vendor_says=answer.text(body["message"]))]
    named = [_field_problem(order, entry["field"], answer.text(entry["issue"])) for entry in fields]
    return named or [shared_rules.refused_line(order, answer.text(body["message"]))]


def _is_field(entry: Any) -> bool:
    return (
        has_keys(entry, "field", "issue", optional=("value",))
        and is_words(entry["field"])
        and is_words(entry["issue"])
        and isinstance(entry.get("value"), str | None)
    )


def _field_problem(order: OrderLike, field: str, issue: str) -> Problem:
    place, boxes = PLACE.match(text(field)), shared_rules.mailboxes(order)
    if not place or int(place[1]) >= len(boxes):
        return shared_rules.refused_line(order, issue)
    box = boxes[int(place[1])]
    return Problem(
        message=f"The vendor does not take {box.address}. Nothing was bought.",
        fix="Copy the order into a new draft and change or take out this mailbox.",
        field=COLUMNS.get(place[2] or "", ""),
        row=box.row,
        vendor_says=issue,
    )


def _states(read: Read, domain: str) -> dict[str, str]:
    """The vendor's state of each mailbox of a domain, by address in lower case."""
    # The read of a single mailbox would give its state too, and its passwords with it.
    answer = ask(read, f"{BASE}/{quote(domain, safe='')}/mailboxes", headers=KEY)
    return {
        text(row.get("email")).lower(): text(row.get("status"), limit=40)
        for row in rows(answer, "mailboxes")
    }


def _evidence(
    line: DomainLine, states: Mapping[str, str], before: Collection[str]
) -> list[Evidence]:
    # The list has no dates, so mailboxes that were there before sending say nothing.
    listed = [box.address.lower() for box in line.mailboxes if box.address.lower() in states]
    old = [address for address in listed if address in before]
    new = [address for address in listed if address not in before]
    lost = [address for address in new if over(states[address])]
    found = []
    if new:
        shown = (
            f"{line.name} lists {len(new)} of the order's {len(line.mailboxes)} mailboxes: "
            + ", ".join(f"{address} ({states[address] or 'no state'})" for address in new[:10])
        )
        is_whole = len(listed) == len(line.mailboxes) and not lost
        placed = "placed" if is_whole else ""
        found.append(Evidence(text=f"{shown}.", points_to=placed, is_trace=True))
    if old:
        shown = f"{', '.join(old[:10])} on {line.name}: listed before this order was sent"
        found.append(Evidence(text=f"{shown}, so that says nothing about it."))
    return found


def _offered(row: Mapping[str, Any]) -> Offered:
    name = text(row.get("domain"), limit=253).lower()
    if not isinstance(row.get("available"), bool):
        return Offered(name=name, state="unsaid", says="The vendor's answer can't be read.")
    if not row["available"]:
        return Offered(name=name, state="taken")
    # The price is an object of amount and currency, or null.
    stated = row.get("price")
    if not isinstance(stated, dict):
        return Offered(name=name, state="free")
    price, money = amount(stated.get("amount")), currency(stated.get("currency"))
    if price is None or not money:
        return Offered(name=name, state="free")
    return Offered(name=name, state="free", price=price, currency=money)
