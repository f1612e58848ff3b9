"""Reads the cells of a line: domain, name, address, picture, years."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orders.drafting.intake.idn import to_ascii, to_unicode
from orders.drafting.intake.rows import BadCell
from orders.models.client import LONGEST_DESTINATION
from orders.validation.public_suffixes import registrable

LONGEST_NAME = 60
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DOMAIN = re.compile(
    r"(?!.*\.\d+$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
USERNAME = re.compile(r"[a-z0-9]([a-z0-9._+-]{0,62}[a-z0-9])?")
DESTINATION = re.compile(
    r"(?P<scheme>https?://)?(?P<host>[^\s/?#:@\"<>\\]+)(?P<port>:\d{1,5})?(?P<page>[/?#][^\s\"<>\\]*)?",
    re.IGNORECASE,
)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/+|//")


def refuse_formula(text: str, *, marks: str = "=") -> None:
    # Refused when it is read, so that the cell can't come back out in a file of ours and run there.
    if text and text[0] in marks:
        plain = text.lstrip("=+-@ ")
        fix = f"Write it without the {text[0]} in front." if plain else "Leave that cell empty."
        raise BadCell(f"“{text[:40]}” begins like a formula of a spreadsheet.", fix)


def read_domain(text: str) -> str:
    """A domain name in small letters, in the form with xn--, without scheme, path or trailing dot.

    Raises `BadCell` with the fix where it is none.
    """
    name = _bare(text)
    if DOMAIN.fullmatch(name) and len(name) <= 253 and "xn--" not in name:
        return name
    if not name:
        raise BadCell(
            "There is no domain.",
            "Begin the line with the domain, for example: acme-reach.com, Dana Reyes, dana",
        )
    refuse_formula(name)
    # Names are at most 253 characters. The checks below take too long for a pasted document.
    if len(name) > 1000:
        raise BadCell(f"“{name[:60]}…” can't be a domain.", "Use letters, digits and hyphens.")
    if "@" in name:
        raise BadCell(
            f"“{name}” is an address, not a domain.",
            f"Write only {name.rpartition('@')[2] or 'the domain'}.",
        )
    if "." not in name and name.isascii():
        raise BadCell(f"“{name}” has no ending.", f"Did you mean {name}.com?")
    return _checked(name)


def read_destination(text: str) -> str:
    """Where a domain forwards to, whole: a domain, or the web address of a page as it is written.

    Scheme and host are put in small letters. Raises `BadCell` with the fix where it is none.
    """
    typed = text.strip()
    refuse_formula(typed)
    found = DESTINATION.fullmatch(typed)
    if not found or len(typed) > LONGEST_DESTINATION:
        if len(typed) > LONGEST_DESTINATION:
            fix = f"Use at most {LONGEST_DESTINATION:,} characters."
        else:
            fix = "Write a domain, or an address without spaces such as https://acme.com/offer"
        raise BadCell(f"“{typed[:60]}” is no place to forward to.", fix)
    host = read_domain(found["host"])
    return f"{(found['scheme'] or '').lower()}{host}{found['port'] or ''}{found['page'] or ''}"


def beyond_domain(text: str) -> str:
    """The part of a destination that says more than its domain: "/offer?a=1"."""
    found = DESTINATION.fullmatch(text.strip())
    more = f"{found['port'] or ''}{found['page'] or ''}" if found else ""
    return "" if more == "/" else more


def _bare(text: str) -> str:
    name = text.strip().lower()
    if "/" in name or "?" in name or "#" in name:
        name = re.split(r"[/?#\\]", SCHEME.sub("", name, count=1), maxsplit=1)[0]
        name = re.sub(r":\d*$", "", name)
    return name.rstrip(".").strip()


def _checked(name: str) -> str:
    """The name as registries hold it: "xn--caf-dma.com" of "café.com". Raises `BadCell`."""
    # A name with xn-- has to decode and encode to itself; else two spellings stand for one name.
    try:
        stored = to_ascii(name) if not name.isascii() else name
        if "xn--" in stored and to_ascii(to_unicode(stored)) != stored:
            raise BadCell(
                f"“{name}” can't be a domain.", f"Did you mean {to_ascii(to_unicode(stored))}?"
            )
    except (UnicodeError, IndexError):
        stored = ""
    if DOMAIN.fullmatch(stored) and len(stored) <= 253:
        return stored
    if "." not in (stored or name):
        raise BadCell(f"“{name}” has no ending.", f"Did you mean {name}.com?")
    guess = ".".join(re.sub(r"[^a-z0-9-]+", "-", label).strip("-") for label in name.split("."))
    usable = name.isascii() and guess != name and DOMAIN.fullmatch(guess)
    raise BadCell(
        f"“{name[:100]}” can't be a domain.",
        f"Did you mean {guess}?" if usable else "Use letters, digits and hyphens.",
    )


def without_www(domain: str) -> str:
    # Browsers put the www. in front. "www.com" is a name of its own.
    rest = domain.removeprefix("www.")
    return domain if "." not in rest or registrable(domain) == domain else rest


def read_name(cell: Mapping[str, str]) -> tuple[str, str]:
    first, _, last = cell.get("name", "").partition(" ")
    first, last = cell.get("first name") or first, cell.get("last name") or last
    for name in (first, last):
        refuse_formula(name, marks="=+-@")
        if len(name) > LONGEST_NAME:
            raise BadCell(
                f"“{name[:20]}…” is too long for a name.", f"Use at most {LONGEST_NAME} letters."
            )
    return first, last


def read_username(text: str, domain: str) -> str:
    """The part before the @, in small letters. A whole address must be at the line's domain."""
    refuse_formula(text)
    username, at, host = text.lower().removeprefix("mailto:").partition("@")
    if at and not _is_at(host, domain):
        raise BadCell(
            f"The address is at {host or 'no domain'}, the line at {domain}.",
            f"Write {username}@{domain}?",
        )
    username = username.strip()
    if not username and at:
        raise BadCell("There is nothing before the @.", f"Write for example dana@{domain}.")
    if not username:
        return ""
    if not username.isascii():
        raise BadCell(
            f"“{username[:100]}” has letters that go beyond a to z.", "Write it with plain letters."
        )
    if not USERNAME.fullmatch(username) or ".." in username:
        guess = re.sub(r"\.{2,}", ".", re.sub(r"[^a-z0-9._+-]+", ".", username)).strip("._+-")[:64]
        what = "A space is" if " " in username else "This is"
        raise BadCell(
            f"{what} not allowed before the @: “{username[:100]}”.",
            f"Use {guess}?" if guess else "Use plain letters.",
        )
    return username


def _is_at(host: str, domain: str) -> bool:
    if host.rstrip(".") == domain:
        return True
    try:
        return without_www(read_domain(host)) == domain
    except BadCell:
        return False


def read_picture(text: str) -> str:
    refuse_formula(text)
    if text and not re.fullmatch(r"https?://\S{3,490}", text):
        raise BadCell(
            "The picture is no web address.", "Write its whole address, beginning with https://"
        )
    return text


def read_years(text: str) -> int:
    refuse_formula(text)
    if not text:
        return 1
    if not re.fullmatch(r"0*([1-9]|10)", text):
        raise BadCell(f"“{text[:20]}” is no number of years.", "Write a whole number from 1 to 10.")
    return int(text)
