"""Names that read like another one: a doubled ending, a stray www, foreign letters."""

from __future__ import annotations

from collections.abc import Mapping

import idna

from orders.validation.public_suffixes import registrable
from orders.validation.typos import lines, shortened
from vendors.verdicts import Problem

# Letters of other alphabets that look like a to z. Any other letter counts as one of a real word in
# its own language.
ALIKE = {
    ord(there): here
    for here, theres in {
        "a": "аαɑ", "c": "сϲ", "d": "ԁ", "e": "еє", "g": "ɡ", "h": "һ", "i": "іιıɩ", "j": "ј",
        "k": "кκ", "l": "ӏℓ", "m": "м", "n": "ո", "o": "оοօ", "p": "рρ", "q": "ԛ", "s": "ѕ",
        "t": "тτ", "u": "սυ", "v": "ѵν", "w": "ԝω", "x": "хχ", "y": "уγ",
    }.items()
    for there in theres
}  # fmt: skip
# What a person misreads in most fonts.
PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("5", "s"))


def written(name: str) -> str:
    """The name as people see it: xn--… in its own letters, if it can be decoded."""
    if "xn--" not in name:
        return name
    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name


def reads_like(name: str) -> str:
    """The name in a to z, if each of its letters looks like one of these; else empty."""
    shown = written(name)
    plain = shown.translate(ALIKE)
    return plain if shown != plain and plain.isascii() else ""


def problems_of(rows: Mapping[str, int | None], main: str) -> list[Problem]:
    found: dict[str, list[Problem]] = {"ending": [], "www": [], "letters": []}
    for name, row in rows.items():
        if kind_and_says := _odd(name, main):
            kind, message, fix = kind_and_says
            problem = Problem(message=message, fix=fix, field="spelling", row=row, level="warn")
            found[kind].append(problem)
    return [
        *shortened(found["ending"], lambda n: f"And {lines(n)} with the ending written twice."),
        *shortened(found["www"], lambda n: f"And {lines(n)} beginning with www."),
        *shortened(found["letters"], lambda n: f"And {lines(n)} in letters that look like others."),
    ]


def _odd(name: str, main: str) -> tuple[str, str, str] | None:
    label, _, ending = name.partition(".")
    if twice := _doubled(name, main):
        return "ending", f"{name} has its ending twice.", f"{twice} may be meant."
    if label.startswith("www"):
        rest = label[3:].lstrip("-") or label
        return "www", f"{name} begins with www.", f"{rest}.{ending} may be meant."
    if like := reads_like(name):
        return (
            "letters",
            f"{name} is written {written(name)}, which reads like {like}.",
            "Write it in plain letters.",
        )
    if main and name != main and _folded(name) == _folded(main):
        return (
            "letters",
            f"{name} reads like {main}, the client's own domain.",
            "Leave it if it is meant.",
        )
    return None


def _doubled(name: str, main: str) -> str:
    """The name with its ending once, if twice: acme.com.com, or acmecom.com for acme.com."""
    bought = registrable(name)
    ending = bought.partition(".")[2]
    if not ending:
        return ""
    if name.endswith(f".{ending}.{ending}") or name == f"{ending}.{ending}":
        return name.removesuffix(f".{ending}")
    if main and name.replace(".", "") == main.replace(".", "") + ending.replace(".", ""):
        return main
    return ""


def _folded(name: str) -> str:
    label, dot, ending = name.partition(".")
    for two, one in PAIRS:
        label = label.replace(two, one)
    return label + dot + ending
