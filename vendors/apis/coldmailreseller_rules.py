"""ColdMailReseller's account and order forms, and the rules that an order has to keep."""

from __future__ import annotations

from collections.abc import Iterator

from django import forms

from vendors.apis import shared_rules
from vendors.apis.forms import OptionsForm
from vendors.apis.replies import word
from vendors.apis.shared_rules import stop, warn
from vendors.apis.values import OrderLike
from vendors.verdicts import Problem

LONGEST_YEARS = 10
# The request's name of each Google detail -> the option that fills it.
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
    meanings = {
        "confirm": {
            True: "Paid from the Partner wallet when it arrives.",
            False: (
                "Nothing is bought until somebody processes the order in ColdMailReseller's"
                " dashboard."
            ),
        },
        "auto_renew": {
            True: "Charged until somebody turns it off. Domains are not renewed.",
            False: "The mailboxes end with what is paid for. Domains are not renewed.",
        },
    }


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


def problems(order: OrderLike) -> tuple[Iterator[Problem], ...]:
    """The rules of this vendor alone, one iterator a rule."""
    if order.product == "mailboxes":
        return (
            _route_problems(order),
            shared_rules.without_mailboxes(order),
            _owner_problems(order),
        )
    return (
        _route_problems(order),
        _year_problems(order),
        _empty_domains(order),
        _provider_problems(order),
    )


def google_details(order: OrderLike) -> dict[str, str]:
    """The filled Google details under the request's names."""
    filled = {name: word(order.options, option) for name, option in GOOGLE.items()}
    return {name: value for name, value in filled.items() if value}


def _route_problems(order: OrderLike) -> Iterator[Problem]:
    if not isinstance(order.options.get("confirm"), bool):
        message = "It is not said whether the vendor shall process the order at once."
        yield stop(message, "Choose one of the two.", field="confirm")
    for field, words in (("google_oauth_route", "Google"), ("microsoft_oauth_route", "Microsoft")):
        route = word(order.options, field)
        # The pages name no form of the address, so a strange one is only pointed out.
        if route and not shared_rules.WEB_ADDRESS.fullmatch(route):
            message = f"The {words} sign-in address is not a web address."
            yield warn(
                message,
                "Copy it again from your sending tool; it starts with https://.",
                field=field,
            )


def _owner_problems(order: OrderLike) -> Iterator[Problem]:
    # "order-mailboxes-json": the two IDs exclude each other, and autoRenew goes with domainId only.
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
        yield stop(message, "Make one order for each domain.", field=field)
    if subscription and order.options.get("auto_renew"):
        message = (
            "Automatic renewal will not be sent: the subscription keeps the setting that it has."
        )
        yield warn(
            message, "Untick it, or change it in the vendor's dashboard.", field="auto_renew"
        )
    # The request names no provider, so the domain's own is not known here: a warning, no stop.
    if not google_details(order):
        message = "The Google details are empty. The vendor wants them for Google mailboxes."
        fix = "Fill them in, unless the domain's mailboxes are Microsoft ones."
        yield warn(message, fix, field="google_oauth_route")


def _year_problems(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        if line.years < 1:
            message = f"{line.name} would be bought for {line.years} years."
            yield stop(message, "Say one year or more.", field="years", row=line.row)
        # No page names a limit. Most registries allow ten years, some fewer or more.
        elif line.years > LONGEST_YEARS:
            message = (
                f"{line.name} would be bought for {line.years} years, and most endings allow"
                f" {LONGEST_YEARS}."
            )
            yield warn(message, f"Say {LONGEST_YEARS} years or fewer.", field="years", row=line.row)


def _empty_domains(order: OrderLike) -> Iterator[Problem]:
    # Their order is one of mailboxes, whose domains may be new: the vendor refuses it without any.
    if order.contents and not shared_rules.mailboxes(order):
        message = "No domain of this order has a mailbox, and the vendor refuses such an order."
        yield stop(message, "Add a mailbox to one of them at least.", field="rows")
        return
    for line in order.contents:
        if not line.mailboxes:
            message = f"{line.name} has no mailbox, so only the domain would be bought."
            yield warn(
                message, "Add a mailbox to it, if that is not meant.", field="domain", row=line.row
            )


def _provider_problems(order: OrderLike) -> Iterator[Problem]:
    provider = order.options.get("service_provider")
    route = order.options.get("microsoft_oauth_route")
    if provider not in ("GOOGLE", "MICROSOFT"):
        message = "It is not said who provides the mailboxes."
        yield stop(message, "Choose Google or Microsoft.", field="service_provider")
    # "creates-order-json" marks each Google field optional, and the block is for Google mailboxes.
    if provider == "GOOGLE" and not google_details(order):
        message = "The vendor wants the Google details for Google mailboxes."
        fix = "Fill in the Google sign-in address, client ID and app name."
        yield stop(message, fix, field="google_oauth_route")
    if provider == "MICROSOFT" and not route:
        message = "The vendor wants the Microsoft sign-in address for Microsoft mailboxes."
        yield stop(message, "Fill it in.", field="microsoft_oauth_route")
    if (provider == "GOOGLE" and route) or (provider == "MICROSOFT" and google_details(order)):
        message = "The sign-in details of the other provider will not be sent."
        yield warn(message, "Empty them, or choose the other provider.", field="service_provider")
