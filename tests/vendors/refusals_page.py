"""`docs/refusals.md`, written from the table of refusals:

`python -m tests.vendors.refusals_page` prints it.
"""

from __future__ import annotations

import os

from tests.vendors.orders import reply
from tests.vendors.refusals import BY_NATURE, GOOD, PRICE_LIST, Refusal
from tests.vendors.refusals_coldmailreseller import COLDMAILRESELLER
from tests.vendors.refusals_scaledmail import SCALEDMAIL_REFUSALS
from tests.vendors.refusals_smartsenders import SMARTSENDERS_REFUSALS
from tests.vendors.refusals_woodpecker import WOODPECKER_REFUSALS
from vendors.apis import REGISTRY
from vendors.verdicts import Accepted, NotSent, Problem, Refused, Unknown

TABLE = [*COLDMAILRESELLER, *SCALEDMAIL_REFUSALS, *SMARTSENDERS_REFUSALS, *WOODPECKER_REFUSALS]
FOUND = {
    "rule": "While drafting",
    "built in": "Never arises: MailOps writes this part",
    "only the vendor": "Only by the vendor",
}
HEAD = """# What vendors refuse

What each vendor documents to refuse, what it means, who finds it first, and what to do. Three kinds:

- **While drafting**: MailOps says it on the row before anything is sent. Most of these keep an order from being handed
  on; where the vendor's pages leave room for doubt it is a warning.
- **Only by the vendor**: nobody else can know it (money, the state of the account, a name that was taken meanwhile).
  MailOps reads the vendor's answer. Where the answer does not prove that nothing was bought, the order waits as
  *outcome unknown* for a person and is never sent again by itself.
- **Never arises**: MailOps writes that part of the order itself and always writes it right.

Each entry is one tested case: the order is drafted wrong on purpose, and both the check and the practice vendor have to
turn it down.

This page is written by `python -m tests.vendors.refusals_page > docs/refusals.md`; a test keeps it in step.
"""


def problem(entry: Refusal) -> Problem | None:
    """The problem that the rule finds."""
    order = GOOD[entry.key].but(**(entry.broken or {}))
    for found in REGISTRY[entry.key[0]].check(order, PRICE_LIST):
        if (found.level, found.field, found.row) == (entry.level, entry.field, entry.row):
            return found
    return None


def meaning(entry: Refusal) -> tuple[str, str]:
    """What it means and what to do, in the words that people see."""
    if entry.kind == "rule":
        found = problem(entry)
        assert found, entry.name
        return found.message, found.fix
    if entry.reply is None:
        return "The order would be turned down.", "Nothing."
    verdict = REGISTRY[entry.key[0]].read_reply(
        GOOD[entry.key].but(**entry.order), reply(*entry.reply)
    )
    match verdict:
        case Refused(problems=(first, *_)):
            return first.message, first.fix
        case Unknown(why=why):
            return (
                why,
                (
                    "Look in the vendor's dashboard, then settle the order. It is not sent again by"
                    " itself."
                ),
            )
        case NotSent(why=why):
            return f"{why} Nothing was bought.", "Nothing: MailOps waits and sends the order again."
        case Accepted(refused_domains=(name, *_)):
            return f"The order is placed without {name}.", "Choose another name and order it anew."
    return (
        "The vendor takes the order first and may turn it down later.",
        "Look at it there if it does not get ready.",
    )


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def markdown() -> str:
    parts = [HEAD]
    for (api, product), _ in GOOD.items():
        adapter = REGISTRY[api]
        parts += [f"\n## {adapter.label}: {adapter.products[product].label.lower()}\n"]
        parts += [
            "| The vendor says | What it means | Found | What to do |",
            "| --- | --- | --- | --- |",
        ]
        for entry in [entry for entry in TABLE if entry.key == (api, product)]:
            means, do = meaning(entry)
            says = entry.says + (
                " (on no page: no such name exists)" if entry.source == BY_NATURE else ""
            )
            found = (
                FOUND[entry.kind]
                + (", as a warning" if entry.kind == "rule" and entry.level == "warn" else "")
                + entry.hint
            )
            parts.append(f"| {cell(says)} | {cell(means)} | {found} | {cell(do)} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    print(markdown(), end="")
