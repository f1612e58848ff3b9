"""The part before the @: names in plain letters, and the patterns that combine them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from anyascii import anyascii

from orders.drafting.intake import BadCell

LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
LONGEST_NAME = 60
MOST_PATTERNS = 10
LONGEST_OWN_PATTERNS = 200
PATTERNS = {
    "{first}": "dana",
    "{first}.{last}": "dana.reyes",
    "{f}.{last}": "d.reyes",
    "{first}{last}": "danareyes",
    "{f}{last}": "dreyes",
    "{last}.{first}": "reyes.dana",
    "{first}_{last}": "dana_reyes",
}
PARTS = ("first", "last", "f", "l", "n")
GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ẞ": "SS"}
)
APOSTROPHES = str.maketrans(dict.fromkeys("‘’‚‛′ʼ`´", "'"))
QUOTES = '"“”„‟«»'
EDGES = "._-"
FORMULA = ("=", "+", "-")  # what a spreadsheet would run; an @ is an address


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who shall have mailboxes."""

    first: str
    last: str = ""
    picture: str = ""

    @property
    def key(self) -> tuple[str, str]:
        # People type one name in capitals or with another apostrophe. It is still one person.
        return _alike(self.first), _alike(self.last)

    def __str__(self) -> str:
        return f"{self.first} {self.last}".strip()

    @property
    def has_letters(self) -> bool:
        return any(self.parts(umlauts=False).values())

    def parts(self, *, umlauts: bool) -> dict[str, str]:
        """The values of {first}, {last}, {f} and {l}."""
        first, last = fold(self.first, umlauts=umlauts), fold(self.last, umlauts=umlauts)
        return {"first": first, "last": last, "f": first[:1], "l": last[:1]}


def _alike(name: str) -> str:
    text = unicodedata.normalize("NFC", name).translate(APOSTROPHES).casefold()
    return (
        text
        if text.isascii()
        else "".join(mark for mark in text if unicodedata.category(mark) != "Cf")
    )


def fold(name: str, *, umlauts: bool = False) -> str:
    """A name in a to z, 0 to 9 and inner hyphens: "O'Brien" is "obrien".

    With `umlauts`, ä, ö and ü become ae, oe and ue as German writes them; else a, o and u.
    """
    text = unicodedata.normalize("NFC", name)
    text = anyascii(text.translate(GERMAN) if umlauts else text).lower()
    return re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9-]", "", text)).strip("-")


def needs(pattern: str) -> set[str]:
    return set(re.findall(r"\{(first|last|f|l)\}", pattern))


def fill(pattern: str, parts: dict[str, str], number: int | None = None) -> str:
    """The pattern with a person's parts, cut to the length allowed but never within its number."""
    text = re.sub(r"\{(first|last|f|l)\}", lambda found: parts[found[1]], pattern)
    if "{n}" in text:
        numbered = text.replace("{n}", str(number or 1))
        if len(numbered) <= LONGEST_LOCAL_PART:
            return clean(numbered)
        # The number goes to the end, where nothing cuts it off.
        return with_number(clean(text.replace("{n}", "")), number or 1)
    return with_number(clean(text), number) if number else clean(text)


def clean(text: str) -> str:
    return re.sub(r"\.{2,}", ".", text).strip(EDGES)[:LONGEST_LOCAL_PART].rstrip(EDGES)


def with_number(text: str, number: int) -> str:
    return text[: LONGEST_LOCAL_PART - len(str(number))].rstrip(EDGES) + str(number)


def read_patterns(text: str) -> tuple[str, ...]:
    """Own patterns, separated by commas or spaces. Raises `BadCell` for an unusable one."""
    found = tuple(dict.fromkeys(re.split(r"[\s,;]+", text.strip().lower()))) if text.strip() else ()
    if len(found) > MOST_PATTERNS:
        raise BadCell(f"There are {len(found)} patterns.", f"Write at most {MOST_PATTERNS}.")
    for pattern in found:
        _check_pattern(pattern)
    return found


def _check_pattern(pattern: str) -> None:
    for part in re.findall(r"\{([^{}]*)\}", pattern):
        if part not in PARTS:
            raise BadCell(f"“{{{part}}}” is not known.", "Use {first}, {last}, {f}, {l} and {n}.")
    around = re.sub(r"\{[^{}]*\}", "", pattern)
    if "{" in around or "}" in around:
        raise BadCell(
            f"A bracket in “{pattern}” is not closed.", "Write for example {first}.{last}"
        )
    if not needs(pattern):
        guess = re.sub(r"\b(first|last|f|l)\b", r"{\1}", pattern.replace("_", " _ ")).replace(
            " ", ""
        )
        fix = f"Did you mean {guess}?" if needs(guess) else "Write for example {first}.{last}"
        raise BadCell(f"“{pattern}” has no part of a name in it.", fix)
    if odd := re.sub(r"[a-z0-9._-]", "", around):
        raise BadCell(
            f"“{odd[0]}” can't stand before the @.",
            "Between the brackets use a to z, 0 to 9, . _ and -",
        )
    if pattern[0] in EDGES or pattern[-1] in EDGES or ".." in pattern:
        raise BadCell(
            f"“{pattern}” would give an address that no mail system takes.",
            "Let it begin and end with a part of the name, and put no two dots together.",
        )
    if len(around) > LONGEST_LOCAL_PART // 2:
        raise BadCell(
            f"“{pattern[:20]}…” is too long.",
            f"An address has at most {LONGEST_LOCAL_PART} characters before the @.",
        )


def read_people(text: str) -> Iterator[Person]:
    """Names, one a line: "Dana Reyes", or first and last name in two cells. Raises `BadCell`."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _person(number, line)


def _person(number: int, line: str) -> Person:
    first, mark, last = re.sub(r"[,;\t]", "\t", line, count=1).partition("\t")
    first, last = " ".join(first.split()), " ".join(last.split())
    if not mark:
        first, _, last = first.partition(" ")
    if "@" in line:
        raise BadCell(
            f"Line {number}: “{line.strip()[:60]}” is an address.",
            "Write the name: the address is made.",
        )
    if quote := next((mark for mark in line if mark in QUOTES), ""):
        raise BadCell(f"Line {number} has a quotation mark: {quote}", "Write the name without it.")
    if re.search(r"[,;\t]", first + last):
        raise BadCell(
            f"Line {number} has more than two cells.", "Write only the first and the last name."
        )
    for name in (first, last):
        if name[:1] in FORMULA or any(unicodedata.category(mark) == "Cc" for mark in name):
            raise BadCell(
                f"Line {number} is no name: “{line.strip()[:60]}”.",
                "Write the first and the last name.",
            )
        if len(name) > LONGEST_NAME:
            raise BadCell(
                f"Line {number}: “{name[:20]}…” is too long.",
                f"Use at most {LONGEST_NAME} letters a name.",
            )
    person = Person(first=first, last=last)
    if not person.has_letters:
        raise BadCell(
            f"Line {number}: no address can be made of “{line.strip()[:60]}”.",
            "Write a name with letters.",
        )
    return person
