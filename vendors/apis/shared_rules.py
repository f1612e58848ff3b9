"""Rules that several vendors share: faults of an order, and the line that a refusal means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from anyascii import anyascii

from vendors.apis.replies import refused_key, refused_order
from vendors.apis.values import DomainLine, MailboxLine, OrderLike, Product
from vendors.verdicts import Problem, Refused

MOST_OF_A_KIND = 50
LONGEST_LOCAL_PART = 64  # RFC 5321; ScaledMail documents the same number
WEB_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})", re.IGNORECASE)
ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LOCAL_PART = re.compile(rf"{ATOM}(?:\.{ATOM})*", re.IGNORECASE)
PLAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.IGNORECASE)


def stop(message: str, fix: str, *, field: str, row: int | None = None) -> Problem:
    return Problem(message=message, fix=fix, field=field, row=row)


def warn(message: str, fix: str, *, field: str, row: int | None = None) -> Problem:
    return Problem(message=message, fix=fix, field=field, row=row, level="warn")


def bounded(*kinds: Iterable[Problem]) -> list[Problem]:
    """All problems; of each kind and field the first fifty, then one that counts the rest."""
    found: list[Problem] = []
    for kind in kinds:
        counts: Counter[tuple[str, str]] = Counter()
        left: dict[tuple[str, str], Problem] = {}
        for problem in kind:
            place = (problem.level, problem.field)
            counts[place] += 1
            if counts[place] <= MOST_OF_A_KIND:
                found.append(problem)
            else:
                left.setdefault(place, problem)
        found += [_and_more(first, counts[place] - MOST_OF_A_KIND) for place, first in left.items()]
    return found


def _and_more(first: Problem, count: int) -> Problem:
    others = f" and on {count - 1:,} more line{'s' if count > 2 else ''}" if count > 1 else ""
    message = (
        f"The same is to be looked at here{others}. Only the first {MOST_OF_A_KIND} are named one"
        " by one."
    )
    return replace(
        first, message=message, fix="Mend those first and save: the next ones are named then."
    )


def mailboxes(order: OrderLike) -> list[MailboxLine]:
    """All mailboxes in the order in which requests name them."""
    return [mailbox for line in order.contents for mailbox in line.mailboxes]


def row_of(line: DomainLine) -> int | None:
    # An owned domain has no row of its own, so its first mailbox stands for it.
    return line.row or (line.mailboxes[0].row if line.mailboxes else None)


def every_line(order: OrderLike, product: Product) -> tuple[Iterator[Problem], ...]:
    """The rules about lines that hold at every vendor, one iterator a rule."""
    return (
        nothing_to_order(order),
        bad_domains(order),
        repeated_domains(order),
        bad_addresses(order),
        strayed_addresses(order),
        repeated_addresses(order),
        without_place(order, product),
    )


def nothing_to_order(order: OrderLike) -> Iterator[Problem]:
    if not order.contents:
        yield stop("There is nothing on this order yet.", "Add at least one line.", field="rows")


def bad_domains(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        if not is_domain(line.name):
            bare = re.sub(r"^[a-z]+://|\s", "", line.name.lower()).split("/")[0].strip(".")
            fix = (
                f"Use {bare} instead."
                if is_domain(bare)
                else "Write it like acme-reach.com, without spaces."
            )
            yield stop(f"“{line.name}” can't be a domain.", fix, field="domain", row=row_of(line))


def is_domain(name: str) -> bool:
    return len(name) <= 253 and bool(DOMAIN.fullmatch(name))


def is_username(name: str) -> bool:
    return len(name) <= LONGEST_LOCAL_PART and bool(LOCAL_PART.fullmatch(name))


def repeated_domains(order: OrderLike) -> Iterator[Problem]:
    seen: dict[str, int | None] = {}
    for line in order.contents:
        if (name := line.name.lower()) in seen:
            message = f"{line.name} is on this order twice{_also_at(seen[name])}."
            yield stop(
                message,
                "Take one of the two out, and keep its mailboxes.",
                field="domain",
                row=row_of(line),
            )
        seen.setdefault(name, row_of(line))


def repeated_addresses(order: OrderLike) -> Iterator[Problem]:
    seen: dict[str, int | None] = {}
    for box in mailboxes(order):
        if (address := box.address.lower()) in seen:
            message = f"{box.address} is on this order twice{_also_at(seen[address])}."
            yield stop(message, "Take one of the two lines out.", field="address", row=box.row)
        seen.setdefault(address, box.row)


def _also_at(row: int | None) -> str:
    return f", on line {row} too" if row else ""


def bad_addresses(order: OrderLike) -> Iterator[Problem]:
    """Stops what RFC 5321 and 5322 forbid before the @, warns of what few mail providers allow."""
    taken: set[str] = set()
    shown = 0
    for box in mailboxes(order):
        name = box.username
        if len(name) <= LONGEST_LOCAL_PART and PLAIN.fullmatch(name):
            continue
        taken = taken or {each.address.lower() for each in mailboxes(order)}
        shown += 1
        # Problems past the first fifty are only counted, so a better name would be wasted work.
        fix = (
            _instead(box, taken) if shown <= 2 * MOST_OF_A_KIND else "Use letters, digits and dots."
        )
        if len(name) > LONGEST_LOCAL_PART:
            message = (
                f"{len(name)} characters stand before the @ of {name[:20]}…@{box.domain}, and 64 is"
                " the most."
            )
        elif not name:
            message = f"Nothing stands before the @{box.domain}."
        elif LOCAL_PART.fullmatch(name):
            message = f"“{name}” has a sign that mail providers seldom allow before the @."
            yield warn(message, fix, field="address", row=box.row)
            continue
        else:
            message = f"“{name}” can't stand before the @{box.domain}."
        yield stop(message, fix, field="address", row=box.row)


def _instead(box: MailboxLine, taken: set[str]) -> str:
    """Advises a plain name that no other line has, made of the typed one or the person's name."""
    plain = _plain(box.username.partition("@")[0]) or _plain(f"{box.first_name} {box.last_name}")
    for number in range(1, 10):
        name = f"{plain}{number if number > 1 else ''}"
        if plain and f"{name}@{box.domain}".lower() not in taken:
            return f"Use {name} instead."
    return "Use letters, digits and dots, such as dana.reyes."


def _plain(name: str) -> str:
    """Letters, digits, dots, hyphens and underscores only; short enough for a number behind it."""
    letters = re.sub(r"[^a-z0-9._-]+", ".", anyascii(name.strip()).lower())
    return re.sub(r"\.{2,}", ".", letters)[: LONGEST_LOCAL_PART - 2].strip("._-")


def strayed_addresses(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        for box in line.mailboxes:
            if box.domain.lower() != line.name.lower():
                fix = f"Use {box.username}@{line.name}, or put it on a line of its own domain."
                yield stop(
                    f"{box.address} stands under {line.name}.", fix, field="address", row=box.row
                )


def without_place(order: OrderLike, product: Product) -> Iterator[Problem]:
    """Warns of typed values that this vendor's order has no place for."""
    # An owned domain keeps its forwarding and years, and the order changes neither.
    for line in order.contents if product.buys_domains else ():
        if line.forward_to and not product.forwards:
            message = (
                f"Where {line.name} forwards to will not be sent: this order has no place for it."
            )
            yield warn(
                message,
                "Set it up at the vendor, or leave it out.",
                field="forward_to",
                row=line.row,
            )
        if line.years > 1 and not product.has_years:
            message = (
                f"The {line.years} years of {line.name} will not be sent: this order has no place"
                " for them."
            )
            yield warn(message, "Leave the years out.", field="years", row=line.row)
    lines: list[DomainLine | MailboxLine] = [*order.contents] if product.buys_domains else []
    for some in [*lines, *mailboxes(order)] if not product.has_pictures else ():
        if some.picture:
            message = "The picture will not be sent: this order has no place for one."
            yield warn(
                message,
                "Leave it out, and set it at the vendor later.",
                field="picture",
                row=some.row,
            )


def without_mailboxes(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        if not line.mailboxes:
            fix = "Add a mailbox to it, or take the domain out."
            yield stop(f"{line.name} has no mailbox.", fix, field="domain", row=line.row)


def without_names(order: OrderLike) -> Iterator[Problem]:
    for mailbox in mailboxes(order):
        for field, words in (("first_name", "first name"), ("last_name", "last name")):
            if not getattr(mailbox, field).strip():
                fix = "Fill it in: the vendor shows it as the sender."
                yield stop(f"{mailbox.address} has no {words}.", fix, field=field, row=mailbox.row)


def bad_pictures(order: OrderLike) -> Iterator[Problem]:
    fix = "Give an address that starts with https://, or leave the picture out."
    lines: list[DomainLine | MailboxLine] = [*order.contents, *mailboxes(order)]
    for line in lines:
        if line.picture and not WEB_ADDRESS.fullmatch(line.picture):
            yield stop(
                f"“{line.picture}” is not the address of a picture.",
                fix,
                field="picture",
                row=line.row,
            )
        elif line.picture.lower().startswith("http:"):
            message = "The picture's address starts with http://, which many places no longer open."
            yield warn(
                message, f"Use https{line.picture[4:]} if it opens.", field="picture", row=line.row
            )


def missing_setting(order: OrderLike, name: str, words: str) -> Iterator[Problem]:
    if not order.settings.get(name):
        fix = "An Operator can fill it in on the vendor account's page."
        yield stop(f"The vendor account has no {words}.", fix, field=name)


def refused_line(order: OrderLike, says: str) -> Problem:
    """The problem of a refused order, at the first line that the vendor's words name."""
    # Addresses first: each of them contains the name of a domain.
    addresses = [(box.address, "address", box.row) for box in mailboxes(order)]
    domains = [(line.name, "domain", row_of(line)) for line in order.contents]
    for name, field, row in addresses + domains:
        if re.search(rf"(?<![\w.@-]){re.escape(name)}(?![\w-]|\.\w)", says, re.IGNORECASE):
            return refused_order(says, field=field, row=row)
    return refused_order(says)


def refused(order: OrderLike, status: int, says: str) -> Refused:
    """The refusal of the key or of the whole order, with the vendor's words."""
    return Refused(
        problems=(refused_key(says) if status in (401, 403) else refused_line(order, says),)
    )
