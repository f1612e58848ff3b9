"""What ScaledMail asks of the order of a package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vendors.apis import shared_rules
from vendors.apis.replies import word
from vendors.apis.shared_rules import stop, warn
from vendors.apis.values import OrderLike
from vendors.cost import PriceLike
from vendors.verdicts import Problem

# How many mailboxes a domain of each kind takes. Documented for ScaledMail's custom order only, so
# it is never a stop.
ALIASES = {
    "google": (re.compile("google", re.IGNORECASE), range(2, 5), "2"),
    "microsoft": (re.compile(r"microsoft|outlook|\bMS\b", re.IGNORECASE), range(25, 26), "25"),
    "smtp": (re.compile("smtp", re.IGNORECASE), range(4, 5), "4"),
}


def problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> tuple[Iterator[Problem], ...]:
    """A kind of problem each."""
    return (
        _package_problems(order, prices),
        _login_problems(order),
        _mixed_problems(order),
        _name_problems(order),
        _alias_problems(order, prices),
    )


def quantity(order: OrderLike) -> int:
    """How many packages are ordered."""
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
        given = [
            f"{kind}_{part}"
            for part in ("provider", "username")
            if order.options.get(f"{kind}_{part}")
        ]
        return given + [name for name in (f"{kind}_password",) if name in order.secret_names]

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
        missing = [
            n for n in ("provider", "username", "password") if f"sequencer_{n}" not in sequencer
        ]
        yield stop(message, fix, field=f"sequencer_{missing[0]}")


def _mixed_problems(order: OrderLike) -> Iterator[Problem]:
    """The order's own page leaves it open; the page of the custom order wants one way for all
    domains of a kind.
    """
    if len({bool(line.mailboxes) for line in order.contents}) > 1:
        message = (
            "Some domains list their mailboxes and some have a name only. The vendor may want one"
            " way for all."
        )
        yield warn(message, "List the mailboxes of every domain or of none.", field="domain")


def _alias_problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> Iterator[Problem]:
    """Against the kinds that the package's name on the price list speaks of; none where it names
    none.
    """
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
