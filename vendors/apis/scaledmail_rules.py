"""ScaledMail's account and order forms, and the rules that the order of a package has to keep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from django import forms

from vendors.apis import shared_rules
from vendors.apis.forms import OptionsForm
from vendors.apis.replies import word
from vendors.apis.shared_rules import stop, warn
from vendors.apis.values import OrderLike
from vendors.cost import PriceLike
from vendors.verdicts import Problem

# When the form shows the fields of a login.
HOSTED_ELSEWHERE, WITH_TOOL = "provider=other", "sequencer_provider"
LOGIN = ("provider", "username", "password")
# How many mailboxes a domain of each kind takes: names of the kind, numbers, the usual number.
# "create-custom-order" documents them for custom orders only, so none of them is a stop.
ALIASES = {
    "google": (re.compile("google", re.IGNORECASE), range(2, 5), "2"),
    "microsoft": (re.compile(r"microsoft|outlook|\bMS\b", re.IGNORECASE), range(25, 26), "25"),
    "smtp": (re.compile("smtp", re.IGNORECASE), range(4, 5), "4"),
}


class AccountForm(forms.Form):
    organization_id = forms.CharField(
        label="Organization ID",
        max_length=100,
        help_text=(
            "ScaledMail files every order under an organization of your account (newer name:"
            " workspace). Its ID usually starts with rec. Testing this account's key names the"
            " organizations that the key reaches."
        ),
    )


def _line(label: str, help_text: str = "", *, only_if: str = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"data-only-if": only_if} if only_if else {})
    return forms.CharField(
        label=label, max_length=200, required=False, help_text=help_text, widget=widget
    )


def _password(label: str, help_text: str, *, only_if: str) -> forms.CharField:
    attrs = {"autocomplete": "new-password", "data-only-if": only_if}
    return forms.CharField(
        label=label,
        max_length=300,
        required=False,
        help_text=help_text,
        widget=forms.PasswordInput(render_value=False, attrs=attrs),
        strip=False,
    )


class PackageOptions(OptionsForm):
    price_id = forms.ChoiceField(label="Package", help_text="From the account's price list.")
    quantity = forms.IntegerField(
        label="Number of packages", min_value=1, required=False, help_text="Leave empty for one."
    )
    provider = forms.ChoiceField(
        label="Domains bought at",
        choices=[
            ("scaledmail", "ScaledMail"),
            ("other", "Somewhere else, such as Porkbun or Namecheap"),
        ],
        initial="scaledmail",
    )
    coupon = _line("Coupon", "What it takes off shows only after ordering.")
    hosting_provider = _line(
        "Where the domains are held",
        "Only for domains bought somewhere else, for example Porkbun.",
        only_if=HOSTED_ELSEWHERE,
    )
    hosting_username = _line(
        "User name there", "Only for domains bought somewhere else.", only_if=HOSTED_ELSEWHERE
    )
    hosting_password = _password(
        "Password there",
        "Only for domains bought somewhere else: ScaledMail signs in with it to set them up. It is"
        " kept sealed.",
        only_if=HOSTED_ELSEWHERE,
    )
    sequencer_provider = _line(
        "Sending tool", "If ScaledMail shall add the mailboxes to it, for example Instantly."
    )
    sequencer_username = _line(
        "User name in the sending tool", "Only with a sending tool above.", only_if=WITH_TOOL
    )
    sequencer_password = _password(
        "Password in the sending tool",
        "Only with a sending tool above. It is kept sealed.",
        only_if=WITH_TOOL,
    )
    price_choices = {"price_id": "package."}
    meanings = {
        "coupon": {"*": "What it takes off shows only after ordering.", "": "", None: ""},
        "sequencer_provider": {
            "*": "ScaledMail adds the mailboxes to it.",
            "": "The mailboxes are added to no sending tool.",
            None: "The mailboxes are added to no sending tool.",
        },
    }
    empty_words = {
        "quantity": "1",
        "hosting_provider": "Not given",
        "hosting_username": "Not given",
        "sequencer_username": "Not given",
    }


def problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> tuple[Iterator[Problem], ...]:
    """The rules of this vendor alone, one iterator a rule."""
    return (
        _package_problems(order, prices),
        _login_problems(order),
        _mixed_problems(order),
        _name_problems(order),
        _alias_problems(order, prices),
    )


def quantity(order: OrderLike) -> int:
    typed = order.options.get("quantity")
    return typed if isinstance(typed, int) and typed >= 1 else 1


def _package_problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> Iterator[Problem]:
    options = order.options
    if options.get("provider") not in ("scaledmail", "other"):
        yield stop(
            "It is not said where the domains were bought.",
            "Choose one of the two.",
            field="provider",
        )
    if options.get("quantity") and options["quantity"] != quantity(order):
        yield stop(
            "The number of packages can't be read.",
            "Say a whole number, or leave it empty.",
            field="quantity",
        )
    if not options.get("price_id"):
        yield stop("No package is chosen.", "Choose one from the price list.", field="price_id")
        return
    # "create-order": the number of domains must be exactly what the package needs.
    price, has = prices.get(f"package.{options['price_id']}"), len(order.contents)
    if price is None or price.domains is None:
        message = (
            "How many domains the package needs is not known, and the vendor takes only the exact"
            " number."
        )
        yield warn(
            message,
            "An Operator can fetch the price list or type the number there.",
            field="price_id",
        )
    elif has != (needs := price.domains * quantity(order)):
        message = f"The vendor wants exactly {needs} domains for this order, and it has {has}."
        fix = f"Add {needs - has}" if has < needs else f"Take {has - needs} out"
        packages = (
            f", or order {has // price.domains} of the package"
            if has and has % price.domains == 0
            else ""
        )
        yield stop(message, f"{fix}{packages}.", field="domain")


def _login_problems(order: OrderLike) -> Iterator[Problem]:
    def filled(kind: str) -> list[str]:
        names = [f"{kind}_{part}" for part in LOGIN]
        # An adapter sees the names of filled secrets, never their values.
        return [name for name in names if order.options.get(name) or name in order.secret_names]

    hosting, sequencer = filled("hosting"), filled("sequencer")
    if order.options.get("provider") == "other":
        for part, words in (
            ("provider", "place"),
            ("username", "user name"),
            ("password", "password"),
        ):
            if f"hosting_{part}" not in hosting:
                message = (
                    "For domains bought somewhere else the vendor wants the login there: the"
                    f" {words} is missing."
                )
                yield stop(message, "Fill it in.", field=f"hosting_{part}")
    elif hosting:
        message = "The login for domains bought somewhere else will not be sent."
        yield warn(
            message,
            "Empty it, or choose that the domains were bought somewhere else.",
            field="provider",
        )
    if 0 < len(sequencer) < 3:
        message = "The sending tool needs all three: its name, a user name and a password."
        fix = "Fill in what is missing, or empty all three."
        missing = [part for part in LOGIN if f"sequencer_{part}" not in sequencer]
        yield stop(message, fix, field=f"sequencer_{missing[0]}")


def _mixed_problems(order: OrderLike) -> Iterator[Problem]:
    # "create-order" leaves it open; "create-custom-order" wants one way for all domains of a kind.
    if len({bool(line.mailboxes) for line in order.contents}) > 1:
        message = (
            "Some domains list their mailboxes and some have a name only. The vendor may want one"
            " way for all."
        )
        yield warn(message, "List the mailboxes of every domain or of none.", field="domain")


def _name_problems(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        if not line.mailboxes and not (line.first_name.strip() and line.last_name.strip()):
            message = (
                f"{line.name} has neither mailboxes nor a first and last name to make them from."
            )
            yield stop(
                message,
                "Fill in both names, or list its mailboxes.",
                field="first_name",
                row=line.row,
            )


def _alias_problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> Iterator[Problem]:
    # A package does not say its kind. Only its name on the price list does, often of two kinds.
    label = getattr(prices.get(f"package.{word(order.options, 'price_id')}"), "label", "")
    kinds = [(counts, usual) for names, counts, usual in ALIASES.values() if names.search(label)]
    wanted = " or ".join(usual for _, usual in kinds)
    for line in order.contents:
        has = len(line.mailboxes)
        if kinds and has and not any(has in counts for counts, _ in kinds):
            message = (
                f"{line.name} lists {has} mailbox{'es' if has > 1 else ''}, and a domain of"
                f" “{label}” has {wanted}."
            )
            fix = (
                f"List {wanted} of them, or leave the addresses out: ScaledMail then makes them"
                " from one name."
            )
            yield warn(message, fix, field="address", row=shared_rules.row_of(line))
