"""ColdMailReseller: new domains with mailboxes, or mailboxes on a domain that is held there
already.

The vendor documents neither the values of an order's status nor the paths of the wallet and of
processing an order that was only created, and it has no list of orders. So progress and balance
stay off, and an order made with `confirm: false` is processed by a person in the vendor's
dashboard.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django import forms

from vendors.apis import shared_rules
from vendors.apis.base import Api
from vendors.apis.forms import OptionsForm
from vendors.apis.reads import ask, could_not_ask, is_since, owned_domains, rows, weighed
from vendors.apis.replies import text, word
from vendors.apis.shared_rules import stop, warn
from vendors.apis.values import DomainLine, Evidence, MailboxLine, OrderLike, OwnedDomain, Product
from vendors.cost import CostSheet, PriceLike, cost_line, cost_sheet
from vendors.http import Read, ReadFailed, Reply, Request, Secret
from vendors.verdicts import Accepted, Problem, Refused, Unknown

BASE = "/api/v1/integration"
PATHS = {"domains": f"{BASE}/orders/json", "mailboxes": f"{BASE}/orders/create-mailbox-order/json"}
MOST_PAGES = 100  # of its list, 50 rows each
KEY = {"cmr-x-api-key": Secret("api_key")}
LONGEST_YEARS = 10
POOR = re.compile(
    r"insufficient (wallet )?balance", re.IGNORECASE
)  # the page's word for it; its status is on none
POOR_MESSAGE = "The wallet at ColdMailReseller does not cover this order. Nothing was bought."
POOR_FIX = (
    "Add money to the wallet in the Partner dashboard, then copy this order into a new draft."
)
GOOGLE = {
    "googleOauthRoute": "google_oauth_route",
    "clientId": "google_client_id",
    "appName": "google_app_name",
}


class AccountForm(forms.Form):
    user_id = forms.CharField(
        label="User ID",
        max_length=100,
        help_text=(
            "ColdMailReseller files every order under one customer of your Partner account. This is"
            " the ID it gave to that customer, not an e-mail address. If you don't see it in the"
            " Partner dashboard, ask the vendor's support for the customer's userId."
        ),
    )


class _Options(OptionsForm):
    confirm = forms.TypedChoiceField(
        label="When it arrives",
        choices=[(True, "Process at once"), (False, "Create only, processed later at the vendor")],
        coerce=lambda value: str(value) == "True",
        initial=True,
        help_text=(
            "Process at once pays from your wallet as soon as the order arrives. Create only buys"
            " nothing until somebody processes the order in ColdMailReseller's dashboard."
        ),
    )
    google_oauth_route = forms.CharField(
        label="Google sign-in address",
        max_length=2000,
        required=False,
        help_text=(
            "For Google mailboxes. The long address that starts with https://accounts.google.com/."
            " Your sending tool gives it to you where you connect Google mailboxes."
        ),
    )
    google_client_id = forms.CharField(
        label="Google client ID",
        max_length=300,
        required=False,
        help_text=(
            "For Google mailboxes. Your sending tool's own ID at Google; it ends in"
            " .apps.googleusercontent.com."
        ),
    )
    google_app_name = forms.CharField(
        label="Google app name",
        max_length=200,
        required=False,
        help_text="For Google mailboxes. The name that Google shows once the client ID is entered.",
    )
    auto_renew = forms.BooleanField(
        label="Renew the mailboxes automatically",
        required=False,
        help_text=(
            "The vendor keeps charging for the mailboxes until somebody turns it off. Domains are"
            " not renewed."
        ),
    )


class DomainOptions(_Options):
    service_provider = forms.ChoiceField(
        label="Mailboxes from",
        choices=[("GOOGLE", "Google"), ("MICROSOFT", "Microsoft")],
        initial="GOOGLE",
    )
    microsoft_oauth_route = forms.CharField(
        label="Microsoft sign-in address",
        max_length=2000,
        required=False,
        help_text=(
            "For Microsoft mailboxes. Your sending tool gives it to you where you connect Microsoft"
            " mailboxes."
        ),
    )
    field_order = (
        "service_provider",
        "confirm",
        "auto_renew",
        "microsoft_oauth_route",
        *GOOGLE.values(),
    )


class MailboxOptions(_Options):
    subscription_id = forms.CharField(
        label="Subscription ID",
        max_length=100,
        required=False,
        help_text=(
            "If the domain's mailboxes are paid for now: the ID of that subscription. The new"
            " mailboxes join it."
        ),
    )
    domain_id = forms.CharField(
        label="Domain ID",
        max_length=100,
        required=False,
        help_text=(
            "If the domain's subscription was cancelled: the ID of the domain. The vendor starts a"
            " new one."
        ),
    )
    field_order = ("subscription_id", "domain_id", "auto_renew", "confirm", *GOOGLE.values())


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
    pace_seconds = 0.25  # 5 requests a second for each key, seen by others; the vendor advises 4
    balance_note = "Orders are paid from your Partner wallet. Look at it in the Partner dashboard."
    AccountForm = AccountForm
    products = {
        "domains": Product(
            label="New domains with mailboxes",
            help="Registers domains and sets up Google or Microsoft mailboxes on them.",
            OptionsForm=DomainOptions,
            buys_domains=True,
            registers_names=True,
            forwards=True,
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

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        is_mailboxes = order.product == "mailboxes"
        of_product = (
            (shared_rules.without_mailboxes(order), _owner_problems(order))
            if is_mailboxes
            else (_year_problems(order), _empty_domains(order), _provider_problems(order))
        )
        return shared_rules.bounded(
            shared_rules.missing_setting(order, "user_id", "user ID"),
            *shared_rules.every_line(
                order, self.products["mailboxes" if is_mailboxes else "domains"]
            ),
            shared_rules.without_names(order),
            shared_rules.bad_pictures(order),
            _route_problems(order),
            *of_product,
        )

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        remark = (
            "Due when the order is processed at the vendor."
            if order.options.get("confirm") is False
            else ""
        )
        lines = []
        if order.product == "domains":
            groups = Counter(
                (line.name.partition(".")[2], max(line.years, 1)) for line in order.contents
            )
            for (ending, years), count in groups.items():
                label = f"Domains .{ending}, {years} year{'s' if years > 1 else ''}"
                item = f"domain.{ending}"
                lines.append(
                    cost_line(
                        prices,
                        item=item,
                        label=label,
                        quantity=count,
                        multiplier=years,
                        remark=remark,
                    )
                )
        count = len(shared_rules.mailboxes(order))
        lines.append(
            cost_line(prices, item="mailbox", label="Mailboxes", quantity=count, remark=remark)
        )
        return cost_sheet(lines)

    def order_request(self, order: OrderLike) -> Request:
        return Request(
            method="POST",
            path=PATHS.get(order.product, PATHS["domains"]),
            query=(("userId", word(order.settings, "user_id")),),
            headers=KEY | {"Content-Type": "application/json"},
            body=_mailboxes_body(order) if order.product == "mailboxes" else _domains_body(order),
        )

    def refusal(self, order: OrderLike, reply: Reply) -> Refused | Unknown | None:
        body = reply.json()
        if not isinstance(body, dict) or body.get("status", reply.status) != reply.status:
            return None
        says = body.get("message")
        if not isinstance(says, str) or not says.strip():
            return None
        if isinstance(body.get("data"), dict) and body["data"].get("orderId"):
            return Unknown(why=f"The vendor answered {reply.status}, and yet it names an order.")
        says = text(says)
        if POOR.search(says):
            return Refused(
                problems=(Problem(message=POOR_MESSAGE, fix=POOR_FIX, vendor_says=says),)
            )
        return shared_rules.refused(order, reply, says)

    def acceptance(self, order: OrderLike, reply: Reply) -> Accepted | Unknown | None:
        body = reply.json()
        if reply.status != 200 or not isinstance(body, dict) or body.get("status", 200) != 200:
            return None
        data = body.get("data")
        if (
            not isinstance(data, dict)
            or not isinstance(data.get("orderId"), str)
            or not data["orderId"].strip()
        ):
            return None
        reference = text(data["orderId"], limit=120)
        refused = data.get("unavailableDomains") or []
        if not isinstance(refused, list) or not all(isinstance(name, str) for name in refused):
            return Unknown(
                why=(
                    f"The vendor made order {reference}, but which domains it left out can't be"
                    " read."
                )
            )
        return Accepted(
            reference=reference,
            refused_domains=tuple(name.strip().lower() for name in refused),
            details={"vendor_says": text(body.get("message"))},
        )

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        """Subscriptions by domain: the vendor has no list of orders."""
        found: list[Evidence] = []
        for line in order.contents:
            try:
                subscriptions = _subscriptions(read, ("domain", line.name))
            except ReadFailed as error:
                found.append(could_not_ask(f"{line.name} and what follows it on the order", error))
                break
            mine = [
                row for row in subscriptions if text(row.get("domain")).lower() == line.name.lower()
            ]
            found += [_evidence(order, line, row, since) for row in mine]
        if order.options.get("confirm") is False:
            note = (
                "An order that was only created shows in none of the vendor's lists. Search the"
                " dashboard by domain."
            )
            found.append(Evidence(text=note))
        return weighed(found)

    def owned_domains(self, settings: Mapping[str, Any], read: Read) -> list[OwnedDomain]:
        """Its subscriptions: a domain without one, or one that was only created, is in none of the
        vendor's lists.

        `nextPage` names a page after the last, so `totalPages` ends it.
        """
        listed: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            answer = _answer(read, ("page", str(page)))
            listed += rows(answer, "data", "subscriptions")
            data = answer["data"]
            pages = (
                data.get("pagination", {}).get("totalPages")
                if isinstance(data.get("pagination"), dict)
                else None
            )
            if not isinstance(pages, int) or isinstance(pages, bool):
                raise ReadFailed("The vendor does not say how long its list is.")
            if page >= pages:
                over = ("CANCELLED", "EXPIRED")
                mine = [
                    row for row in listed if text(row.get("subscriptionStatus")).upper() not in over
                ]
                return owned_domains(mine, name="domain", count="totalMailboxQuantity")
        raise ReadFailed(
            f"The vendor's list has over {MOST_PAGES} pages, which MailOps does not read."
        )

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        _subscriptions(read, ("limit", "1"))
        return "The key works. Whether the user ID is right shows with the first order."


def _mailbox(line: MailboxLine) -> dict[str, str]:
    body = {"username": line.username, "firstName": line.first_name, "lastName": line.last_name}
    return body | ({"profilePicture": line.picture} if line.picture else {})


def _mailboxes(order: OrderLike) -> dict[str, list[dict[str, str]]]:
    return {
        line.name: [_mailbox(box) for box in line.mailboxes]
        for line in order.contents
        if line.mailboxes
    }


def _google(order: OrderLike) -> dict[str, str]:
    filled = {name: word(order.options, option) for name, option in GOOGLE.items()}
    return {name: value for name, value in filled.items() if value}


def _mailboxes_body(order: OrderLike) -> dict[str, Any]:
    # The page's sample has subscriptionId and autoRenew together; its table wants autoRenew with
    # domainId only.
    subscription, domain, google = (
        word(order.options, "subscription_id"),
        word(order.options, "domain_id"),
        _google(order),
    )
    is_new = bool(domain) and not subscription
    return (
        ({"domainId": domain} if is_new else {"subscriptionId": subscription})
        | {"mailboxes": _mailboxes(order), "confirm": bool(order.options.get("confirm"))}
        | ({"autoRenew": bool(order.options.get("auto_renew"))} if is_new else {})
        | ({"google": google} if google else {})
    )


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
            "billingCycle": "MONTHLY",
            "confirm": bool(order.options.get("confirm")),
            "serviceProvider": provider,
            "microsoftOauthRoute": route,
        }
        | ({"google": google} if provider == "GOOGLE" and (google := _google(order)) else {})
        | {"autoRenew": bool(order.options.get("auto_renew"))}
    )


def _owner_problems(order: OrderLike) -> Iterator[Problem]:
    subscription, domain = order.options.get("subscription_id"), order.options.get("domain_id")
    field = "domain_id" if domain else "subscription_id"
    if bool(subscription) == bool(domain):
        message = "The vendor wants a subscription ID or a domain ID: one of them, not both."
        yield stop(
            message,
            "Take the subscription ID while the domain's mailboxes are paid for.",
            field=field,
        )
    elif len(order.contents) > 1:
        message = "A subscription or domain ID belongs to one domain, and this order has several."
        yield warn(
            message,
            "Make one order for each domain, unless the vendor told you otherwise.",
            field=field,
        )
    if subscription and order.options.get("auto_renew"):
        message = (
            "Automatic renewal will not be sent: the subscription keeps the setting that it has."
        )
        yield warn(
            message, "Untick it, or change it in the vendor's dashboard.", field="auto_renew"
        )
    if not _google(order):
        message = "The Google details are empty. The vendor wants them for Google mailboxes."
        fix = "Fill them in, unless the domain's mailboxes are Microsoft ones."
        yield warn(message, fix, field="google_oauth_route")


def _route_problems(order: OrderLike) -> Iterator[Problem]:
    if not isinstance(order.options.get("confirm"), bool):
        message = "It is not said whether the vendor shall process the order at once."
        yield stop(message, "Choose one of the two.", field="confirm")
    for field, words in (("google_oauth_route", "Google"), ("microsoft_oauth_route", "Microsoft")):
        route = word(order.options, field)
        if route and not shared_rules.WEB_ADDRESS.fullmatch(route):
            message = f"The {words} sign-in address is not a web address."
            yield warn(
                message,
                "Copy it again from your sending tool; it starts with https://.",
                field=field,
            )


def _year_problems(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        if line.years < 1:
            message = f"{line.name} would be bought for {line.years} years."
            yield stop(message, "Say one year or more.", field="years", row=line.row)
        elif line.years > LONGEST_YEARS:
            message = (
                f"{line.name} would be bought for {line.years} years, and most endings allow"
                f" {LONGEST_YEARS}."
            )
            yield warn(message, f"Say {LONGEST_YEARS} years or fewer.", field="years", row=line.row)


def _empty_domains(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        if not line.mailboxes:
            message = f"{line.name} has no mailbox, so only the domain would be bought."
            yield warn(
                message, "Add a mailbox to it, if that is not meant.", field="domain", row=line.row
            )


def _provider_problems(order: OrderLike) -> Iterator[Problem]:
    provider, route = (
        order.options.get("service_provider"),
        order.options.get("microsoft_oauth_route"),
    )
    if provider not in ("GOOGLE", "MICROSOFT"):
        message = "It is not said who provides the mailboxes."
        yield stop(message, "Choose Google or Microsoft.", field="service_provider")
    if provider == "GOOGLE" and not _google(order):
        message = "The vendor wants the Google details for Google mailboxes."
        fix = "Fill in the Google sign-in address, client ID and app name."
        yield stop(message, fix, field="google_oauth_route")
    if provider == "MICROSOFT" and not route:
        message = "The vendor wants the Microsoft sign-in address for Microsoft mailboxes."
        yield stop(message, "Fill it in.", field="microsoft_oauth_route")
    if (provider == "GOOGLE" and route) or (provider == "MICROSOFT" and _google(order)):
        message = "The sign-in details of the other provider will not be sent."
        yield warn(message, "Empty them, or choose the other provider.", field="service_provider")


def _subscriptions(read: Read, *query: tuple[str, str]) -> list[dict[str, Any]]:
    return rows(_answer(read, *query), "data", "subscriptions")


def _answer(read: Read, *query: tuple[str, str]) -> Any:
    answer = ask(read, f"{BASE}/subscriptions", query=query, headers=KEY)
    if isinstance(answer, dict) and answer.get("status", 200) != 200:
        raise ReadFailed(f"The vendor said: {text(answer.get('message'))}")
    return answer


def _evidence(order: OrderLike, line: DomainLine, row: dict[str, Any], since: datetime) -> Evidence:
    """A subscription speaks for this order if it began after it, with as many mailboxes and for its
    user.
    """
    count, begins = row.get("totalMailboxQuantity"), row.get("periodStart")
    shown = (
        f"{line.name} has a subscription since {text(begins) or 'an unknown day'} (mailboxes:"
        f" {text(count) or '?'})."
    )
    if order.product == "mailboxes" and order.options.get("subscription_id"):
        return Evidence(
            text=f"{shown} This order adds {len(line.mailboxes)}: compare with the number before."
        )
    is_ours = row.get("userId", order.settings.get("user_id")) == order.settings.get("user_id")
    if is_ours and count == len(line.mailboxes) and is_since(begins, since):
        return Evidence(text=f"{shown} It began after this order was sent.", points_to="placed")
    return Evidence(text=f"{shown} That does not fit this order, so it says nothing about it.")
