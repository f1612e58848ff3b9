"""The addresses that ScaledMail, practised, makes out of one name for a domain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from vendors.practice.scaledmail_price_list import Package


def planned(item: Mapping[str, Any], package: Package) -> dict[str, Any]:
    if "aliases" in item:
        mailbox = [
            {name: box[name] for name in ("first_name", "last_name", "alias")}
            for box in item["aliases"]
        ]
    else:
        names = {"first_name": item["first_name"], "last_name": item["last_name"]}
        mailbox = [{**names, "alias": alias} for alias in made_aliases(names, package.per_domain)]
    for box in mailbox:
        box["alias"] = box["alias"].lower()
    return {
        "domain": item["domain"].lower(),
        "redirect": item.get("redirect", ""),
        "mailbox": mailbox,
    }


def made_aliases(names: Mapping[str, str], number: int) -> list[str]:
    # Which aliases the vendor makes is not documented. These differ from each other, as they must.
    first, last = (plain(names[name]) or "mail" for name in ("first_name", "last_name"))
    shapes = ("{0}.{1}", "{0}{1}", "{0[0]}.{1}", "{0}.{1[0]}", "{1}.{0}")
    different = list(dict.fromkeys(shape.format(first, last) for shape in shapes))
    return (different + [f"{first}.{last}{place}" for place in range(2, number + 2)])[:number]


def plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", letters)[:20]
