"""Endings of domain names, from an offline copy of the public suffix list."""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList

# Endings that people mean, the likeliest first.
COMMON = (
    "com", "net", "org", "co", "io", "ai", "app", "dev", "info", "biz", "us", "uk", "co.uk", "de",
    "eu", "fr", "nl", "ca", "com.au", "au", "in", "email", "online", "site", "tech", "store",
    "agency", "digital", "media", "xyz", "me",
)  # fmt: skip
# Endings that exist, are a letter short of .com, and are hardly ever meant.
SLIPS = {"cm": "Cameroon", "om": "Oman"}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@cache
def _endings() -> PublicSuffixList:
    # Only what registries sell under. The list's private part has names such as github.io.
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def registrable(domain: str) -> str:
    """The part that can be bought: "acme.co.uk" of "mail.acme.co.uk"; empty if unknown."""
    return _endings().privatesuffix(domain) or ""


def weigh_ending(domain: str) -> tuple[str, str] | None:
    """A doubt about a name's ending and the fix; None if the ending is fine."""
    ending = _endings().publicsuffix(domain)
    if not ending:
        return _unknown(domain)
    if ending == domain:
        return (
            f"{domain} is an ending that names stand under.",
            f"Write the whole name, for example acme.{domain}.",
        )
    name = domain.removesuffix(f".{ending}")
    if ending in SLIPS:
        return f"The ending .{ending} is that of {SLIPS[ending]}.", f"Did you mean {name}.com?"
    return _doubled(name, ending)


def _doubled(name: str, ending: str) -> tuple[str, str] | None:
    # Finds "acme.com.com" and "acme.net.com". "com.com" itself is an ordinary name.
    for inner in (ending, *COMMON[:4], "co.uk"):
        before = name.removesuffix(f".{inner}")
        if before == name:
            continue
        if inner == ending:
            while before.endswith(f".{ending}"):
                before = before.removesuffix(f".{ending}")
            return f"The ending .{ending} stands twice.", f"Did you mean {before}.{ending}?"
        both = f"{before}.{inner} or {before}.{ending}"
        return f"There are two endings, .{inner} and .{ending}.", f"Did you mean {both}?"
    return None


def _unknown(domain: str) -> tuple[str, str]:
    name, _, last = domain.rpartition(".")
    if meant := _meant(last):
        for_whole = name.removesuffix(f".{meant}")
        return f"There is no ending .{last}.", f"Did you mean {for_whole}.{meant}?"
    return f"There is no ending .{last}.", "Check how the name ends."


@cache
def _meant(last: str) -> str:
    # A common ending is likelier to be meant than any of the others.
    half = last[: len(last) // 2]
    if half and half * 2 == last and _is_ending(half):
        return half
    for ending in COMMON:
        if last == ending.replace(".", ""):
            return ending
    # The number of words one slip away grows with the length; no real ending is that long.
    near = _one_slip_from(last) if len(last) <= 20 else set()
    return next((ending for ending in COMMON if ending in near), "") or min(
        filter(_is_ending, near), default=""
    )


def _is_ending(text: str) -> bool:
    return _endings().publicsuffix(f"a.{text}") == text


def _one_slip_from(word: str) -> set[str]:
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    less = {a + b[1:] for a, b in parts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    other = {a + letter + b[1:] for a, b in parts if b for letter in LETTERS}
    more = {a + letter + b for a, b in parts for letter in LETTERS}
    return (less | swapped | other | more) - {word, ""}
