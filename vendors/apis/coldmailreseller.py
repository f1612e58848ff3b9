"""ColdMailReseller: new domains with mailboxes, or mailboxes on a domain that is owned there.

Vendor pages: docs.coldmailreseller.com/creates-order-json-14632249e0 and
/order-mailboxes-json-14943459e0.

Not found in the vendor's pages: the values of an order's status, the paths of the wallet and of
processing an order that was only created, a list of orders, the HTTP status of a refusal for an
empty wallet. So progress is read from the subscriptions, the balance stays off, and an order made
with `confirm: false` is processed by a person in the vendor's dashboard.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from vendors.apis import shared_rules
from vendors.apis.answers import Answer, has_keys, is_reference, is_status, is_words
from vendors.apis.base import Api
from vendors.apis.coldmailreseller_rules import (
    AccountForm,
    DomainOptions,
    MailboxOptions,
    google_details,
    problems,
)
from vendors.apis.coldmailreseller_subscriptions import (
    BASE,
    KEY,
    progress,
    read_subscriptions,
    subscriptions,
)
from vendors.apis.reads import (
    could_not_ask,
    is_long_before,
    is_since,
    over,
    owned_domains,
    rows,
    shown_time,
    weighed,
)
from vendors.apis.replies import text, word
from vendors.apis.values import (
    DomainLine,
    Evidence,
    MailboxLine,
    OrderLike,
    OwnedDomain,
    Product,
    Progress,
    SentOrderLike,
)
from vendors.cost import CostSheet, PriceLike, cost_line, cost_sheet
from vendors.http import Read, ReadFailed, Request
from vendors.verdicts import Accepted, Problem, Refused, Unknown

PATHS = {"domains": f"{BASE}/orders/json", "mailboxes": f"{BASE}/orders/create-mailbox-order/json"}
MOST_PAGES = 100  # of its list of subscriptions, 50 rows each
# The page's words for an empty wallet. No page gives the status of that refusal.
POOR = re.compile(r"insufficient (wallet )?balance", re.IGNORECASE)
POOR_MESSAGE = "The wallet at ColdMailReseller does not cover this order. Nothing was bought."
POOR_FIX = (
    "Add money to the wallet in the Partner dashboard, then copy this order into a new draft."
)


class ColdMailReseller(Api):
    name = "coldmailreseller"
    label = "ColdMailReseller"
    host = "https://customers.coldmailreseller.com"
    dashboard_url = "https://coldmailreseller.com"
    docs_url = "https://docs.coldmailreseller.com"
    secrets = {"api_key": "API key"}
    secret_help = {"api_key": "In the Partner dashboard under Settings, Integrations."}
    price_items = {
        "domain.<ending>": "A new domain with this ending, such as domain.com, for one year",
        "mailbox": "One mailbox for one month",
    }
    # Others have seen 5 requests a second for each key, and the advice to send 4.
    pace_seconds = 0.25
    progress_batch = 1
    id_labels = {"subscriptionId": "Subscription ID", "domainId": "Domain ID"}
    id_options = {"subscriptionId": "subscription_id", "domainId": "domain_id"}
    ids_that_end = frozenset({"subscriptionId"})
    AccountForm = AccountForm
    balance_note = "Orders are paid from your Partner wallet. Look at it in the Partner dashboard."
    products = {
        "domains": Product(
            label="New domains with mailboxes",
            help="Registers domains and sets up Google or Microsoft mailboxes on them.",
            OptionsForm=DomainOptions,
            buys_domains=True,
            registers_names=True,
            forwards=True,
            forwards_to_page=True,  # its page: "Destination to which the domain should forward"
            has_years=True,
            has_pictures=True,
        ),
        "mailboxes": Product(
            label="Mailboxes on a domain you have there",
            help="Adds mailboxes to a domain that you bought at ColdMailReseller before.",
            OptionsForm=MailboxOptions,
            buys_domains=False,
            has_pictures=True,
        ),
    }

    words = {
        "userId": "user ID of the account", "domain": "domain", "years": "years",
        "forwardTo": "forwards to", "username": "name before the @", "firstName": "first name",
        "lastName": "last name", "profilePicture": "picture", "billingCycle": "billing cycle",
        "confirm": "bought when it arrives", "serviceProvider": "mailboxes from",
        "microsoftOauthRoute": "Microsoft sign-in address", "google": "Google",
        "googleOauthRoute": "sign-in address", "clientId": "client ID", "appName": "app name",
        "autoRenew": "renew automatically", "subscriptionId": "subscription",
        "domainId": "domain ID",
    }  # fmt: skip
    row_words = {"domains": "domain", "mailboxes": "mailbox"}
    row_keys = ("username", "domain")
    fixed_words = {"billingCycle": {"MONTHLY": "Each month"}}

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        product = self.products["mailboxes" if order.product == "mailboxes" else "domains"]
        return shared_rules.bounded(
            shared_rules.missing_setting(order, "user_id", "user ID"),
            *shared_rules.every_line(order, product),
            shared_rules.without_names(order),
            shared_rules.bad_pictures(order),
            *problems(order),
        )

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        is_later = self.creates_only(order)
        later: dict[str, Any] = {"is_later": is_later}
        later |= {"remark": "Due when the order is processed at the vendor." if is_later else ""}
        lines = []
        if order.product == "domains":
            groups = Counter(
                (line.name.partition(".")[2], max(line.years, 1)) for line in order.contents
            )
            for (ending, years), count in groups.items():
                label = f"Domains .{ending}, {years} year{'s' if years > 1 else ''}"
                item = f"domain.{ending}"
                line = cost_line(
                    prices, item=item, label=label, quantity=count, multiplier=years, **later
                )
                lines.append(line)
        count = len(shared_rules.mailboxes(order))
        lines.append(cost_line(prices, item="mailbox", label="Mailboxes", quantity=count, **later))
        return cost_sheet(lines)

    def creates_only(self, order: OrderLike) -> bool:
        # "creates-order-json": an order with `confirm: false` is "created but not processed".
        return order.options.get("confirm") is False

    def order_request(self, order: OrderLike) -> Request:
        return Request(
            method="POST",
            path=PATHS.get(order.product, PATHS["domains"]),
            query=(("userId", word(order.settings, "user_id")),),
            headers=KEY | {"Content-Type": "application/json"},
            body=_mailboxes_body(order) if order.product == "mailboxes" else _domains_body(order),
        )

    def refusal(self, order: OrderLike, answer: Answer) -> Refused | None:
        if not _is_error(answer):
            return None
        says = answer.text(answer.body["message"])
        if POOR.search(says):
            poor = Problem(message=POOR_MESSAGE, fix=POOR_FIX, vendor_says=says)
            return Refused(problems=(poor,), lacks_funds=True)
        return shared_rules.refused(order, answer.status, says)

    def success(self, order: OrderLike, answer: Answer) -> Accepted | Unknown | None:
        # "creates-order-json". Others have seen `actionId` and the list of unavailable domains, in
        # `data` or beside it.
        extra = ("message", "actionId", "unavailableDomains")
        if not answer.has_keys("status", "data", optional=extra):
            return None
        body, data = answer.body, answer.body["data"]
        if not is_status(body["status"], 200) or not isinstance(body.get("message"), str | None):
            return None
        if not has_keys(data, "orderId", optional=("unavailableDomains",)):
            return None
        if not is_reference(data["orderId"]):
            return None
        reference = answer.text(data["orderId"], limit=120)
        refused = _unavailable(order, body, data)
        if refused is None:
            why = f"The vendor made order {reference}, but which domains it left out can't be read."
            return Unknown(why=why)
        return Accepted(
            reference=reference,
            refused_domains=refused,
            details={"vendor_says": answer.text(body.get("message"))},
        )

    def is_throttled(self, answer: Answer) -> bool:
        return _is_error(answer)

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        # Subscriptions by domain, because the vendor has no list of orders.
        found: list[Evidence] = []
        for line in order.contents:
            try:
                listed = subscriptions(read, ("domain", line.name))
            except ReadFailed as error:
                found.append(could_not_ask(f"{line.name} and what follows it on the order", error))
                break
            mine = [row for row in listed if text(row.get("domain")).lower() == line.name.lower()]
            found += [_evidence(order, line, row, since) for row in mine]
        if self.creates_only(order):  # then no subscription begins
            note = (
                "An order that was only created shows in none of the vendor's lists. Search the"
                " dashboard by domain."
            )
            found.append(Evidence(text=note))
        return weighed(found)

    def progress(self, order: SentOrderLike, read: Read) -> Progress:
        return progress(order, read)

    def owned_domains(self, settings: Mapping[str, Any], read: Read) -> list[OwnedDomain]:
        """The domains with a subscription; others are in none of the vendor's lists."""
        listed: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            answer = read_subscriptions(read, ("page", str(page)))
            listed += rows(answer, "data", "subscriptions")
            # `nextPage` names a page even after the last one, so `totalPages` ends the loop.
            pagination = answer["data"].get("pagination")
            pages = pagination.get("totalPages") if isinstance(pagination, dict) else None
            if not isinstance(pages, int) or isinstance(pages, bool):
                raise ReadFailed("The vendor does not say how long its list is.")
            if page >= pages:
                over = ("CANCELLED", "EXPIRED")
                running = [
                    row for row in listed if text(row.get("subscriptionStatus")).upper() not in over
                ]
                return owned_domains(running, name="domain", count="totalMailboxQuantity")
        raise ReadFailed(
            f"The vendor's list has over {MOST_PAGES} pages, which MailOps does not read."
        )

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        subscriptions(read, ("limit", "1"))
        return "The key works. Whether the user ID is right shows with the first order."


def _is_error(answer: Answer) -> bool:
    """The envelope of every error: its `status` repeats the HTTP status and `data` is null."""
    return (
        answer.has_keys("status", "message", "data")
        and is_status(answer.body["status"], answer.status)
        and is_words(answer.body["message"])
        and answer.body["data"] is None
    )


def _unavailable(
    order: OrderLike, body: dict[str, Any], data: dict[str, Any]
) -> tuple[str, ...] | None:
    """The order's domains that the vendor left out; None where the list can't be read."""
    found: dict[str, None] = {}
    for part in (body, data):
        names = [] if part.get("unavailableDomains") is None else part["unavailableDomains"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return None
        found |= dict.fromkeys(name.strip().lower() for name in names)
    # A name that nobody ordered was read wrong, or belongs to another order.
    return tuple(found) if found.keys() <= {line.name.lower() for line in order.contents} else None


def _domains_body(order: OrderLike) -> dict[str, Any]:
    provider = word(order.options, "service_provider")
    route = word(order.options, "microsoft_oauth_route") if provider == "MICROSOFT" else ""
    return (
        {
            "domains": [
                {"domain": line.name, "years": line.years}
                | ({"forwardTo": line.forward_to} if line.forward_to else {})
                for line in order.contents
            ],
            "mailboxes": _mailboxes(order),
            "billingCycle": "MONTHLY",  # the only value that "create-order" accepts
            "confirm": bool(order.options.get("confirm")),
            "serviceProvider": provider,
            "microsoftOauthRoute": route,
        }
        | ({"google": google} if provider == "GOOGLE" and (google := google_details(order)) else {})
        | {"autoRenew": bool(order.options.get("auto_renew"))}
    )


def _mailboxes_body(order: OrderLike) -> dict[str, Any]:
    subscription, domain = (word(order.options, name) for name in ("subscription_id", "domain_id"))
    google = google_details(order)
    # The page's sample has subscriptionId and autoRenew together. Its table wants autoRenew with
    # domainId only.
    is_new = bool(domain) and not subscription
    return (
        ({"domainId": domain} if is_new else {"subscriptionId": subscription})
        | {"mailboxes": _mailboxes(order), "confirm": bool(order.options.get("confirm"))}
        | ({"autoRenew": bool(order.options.get("auto_renew"))} if is_new else {})
        | ({"google": google} if google else {})
    )


def _mailboxes(order: OrderLike) -> dict[str, list[dict[str, str]]]:
    # Keyed by domain name, not by the vendor's ID of the domain.
    return {
        line.name: [_mailbox(box) for box in line.mailboxes]
        for line in order.contents
        if line.mailboxes
    }


def _mailbox(line: MailboxLine) -> dict[str, str]:
    body = {"username": line.username, "firstName": line.first_name, "lastName": line.last_name}
    return body | ({"profilePicture": line.picture} if line.picture else {})


def _evidence(order: OrderLike, line: DomainLine, row: dict[str, Any], since: datetime) -> Evidence:
    """A subscription that began later, with as many mailboxes and for the same user, is ours."""
    count, begins = row.get("totalMailboxQuantity"), row.get("periodStart")
    shown = (
        f"{line.name} has a subscription since {shown_time(begins, otherwise='an unknown day')}"
        f" (mailboxes: {text(count) or '?'})."
    )
    is_new = not is_long_before(begins, since)
    if state := over(row.get("subscriptionStatus"), row.get("status")):
        says = f"{shown} It reads {state}, so it speaks for no placed order."
        return Evidence(text=says, is_trace=is_new)
    # Mailboxes that join a subscription change its count, and nothing says the count before.
    if order.product == "mailboxes" and order.options.get("subscription_id"):
        says = f"{shown} This order adds {len(line.mailboxes)}: compare with the number before."
        return Evidence(text=says, is_trace=True)
    is_ours = row.get("userId", order.settings.get("user_id")) == order.settings.get("user_id")
    if is_ours and count == len(line.mailboxes) and is_since(begins, since):
        return Evidence(text=f"{shown} It began after this order was sent.", points_to="placed")
    says = f"{shown} That does not fit this order, so it says nothing about it."
    return Evidence(text=says, is_trace=is_new)
