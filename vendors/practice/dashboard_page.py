"""The practice dashboard: a page with every order in the books, and buttons that act on them.

It stands for the dashboards of all four vendors, which no MailOps can press a button in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from vendors.practice.dashboard_acts import MODES, BadAct, mode_of, perform
from vendors.practice.ledger import (
    CANCEL,
    CREATED,
    CREDIT,
    DELIVER,
    MONEY,
    PROCESS,
    READS,
    REFUND,
    Charge,
    Ledger,
)
from vendors.practice.wire_types import Answer, Twin, json_answer

PAGE, ACTS = "/dashboard", "/acts"
NAMES = {
    "coldmailreseller": "ColdMailReseller",
    "scaledmail": "ScaledMail",
    "woodpecker": "Woodpecker",
    "smartsenders": "SmartSenders",
}
DONE = {DELIVER: "Delivered", CANCEL: "Cancelled"}
HERE = frozenset({"127.0.0.1", "localhost", "::1"})
MOST_ORDERS, MOST_DOMAINS = 50, 20
FORM = "application/x-www-form-urlencoded"
STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 76rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0;
  border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
form { display: inline-flex; flex-wrap: wrap; gap: .35rem; margin: 0 .35rem .35rem 0; }
button, input, select { font: inherit; padding: .15rem .6rem; border-radius: .4rem;
  border: 1px solid color-mix(in srgb, currentColor 40%, transparent); }
button[aria-pressed=true] { font-weight: 700; border-width: 2px; }
input { width: 6rem; } .note { padding: .5rem .75rem; border-radius: .4rem;
  background: color-mix(in srgb, currentColor 10%, transparent); }
.soft { opacity: .75; } .mark { font-weight: 700; }
li { overflow-wrap: anywhere; } ul { margin: 0; padding-left: 1.1rem; }
@media (max-width: 48rem) { thead { display: none; } tr { display: block; padding: .5rem 0;
  border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  td { display: block; border: 0; padding: .15rem 0; } }
"""
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
}


# By order and domain: the last act of a person.
Marks = dict[tuple[int | None, str], str]


def answer(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    ledger: Ledger,
    twins: Mapping[str, Twin],
) -> Answer:
    """The page, or the act of a POST: a form of the page, or JSON that is answered with JSON."""
    if not _is_from_here(headers):
        # Another name for this machine, or a button on another site's page.
        return json_answer(403, {"error": "The dashboard is used on this machine alone."})
    if (method, path) == ("GET", PAGE):
        return _page(ledger, twins)
    if (method, path) != ("POST", ACTS):
        return json_answer(405, {"error": f"GET {PAGE} or POST {ACTS}."})
    is_form = headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
    try:
        says = perform(ledger, _asked(body, is_form=is_form), vendors=twins)
    except BadAct as error:
        if is_form:
            return _page(ledger, twins, status=400, says=str(error))
        return json_answer(400, {"error": str(error)})
    return _page(ledger, twins, says=says) if is_form else json_answer(200, {"done": says})


def _is_from_here(headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin", "")
    host = urlsplit(f"//{headers.get('host', '')}")
    return host.hostname in HERE and (not origin or urlsplit(origin).netloc == host.netloc)


def _asked(body: bytes, *, is_form: bool) -> Mapping[str, Any]:
    try:
        asked = dict(parse_qsl(body.decode())) if is_form else json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise BadAct("The body must be a JSON object.")
    return asked


def _page(
    ledger: Ledger, twins: Mapping[str, Twin], *, status: int = 200, says: str = ""
) -> Answer:
    parts = [f'<p class="note" role="status">{escape(says)}</p>'] if says else []
    parts += [_vendor(ledger, name) for name in twins]
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Practice dashboard</title><style>{STYLE}</style></head><body>"
        "<h1>Practice dashboard</h1>"
        '<p class="soft">Stands for the dashboards of the four vendors. Nothing here is real. '
        f'<a href="{PAGE}">Read it again</a></p>{"".join(parts)}</body></html>'
    )
    return Answer(status=status, body=body.encode(), headers=HEADERS)


def _vendor(ledger: Ledger, vendor: str) -> str:
    orders = [*ledger.charges(vendor=vendor), *ledger.created(vendor=vendor)]
    orders.sort(key=lambda charge: charge.id, reverse=True)
    now = mode_of(ledger, vendor)
    modes = "".join(
        f'<button name="mode" value="{mode}" aria-pressed="{str(mode == now).lower()}">{words}'
        "</button>"
        for mode, words in MODES.items()
    )
    marks: Marks = {}
    for act in reversed(ledger.acts(vendor=vendor)):
        for name in act.domains if act.act in DONE else ():
            marks[act.charge, name] = DONE[act.act]
    rows = "".join(_row(ledger, charge, marks) for charge in orders[:MOST_ORDERS])
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Order", "Domains", "Cost", "Acts"))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    left = len(orders) - MOST_ORDERS
    more = f'<p class="soft">And {left} older ones.</p>' if left > 0 else ""
    listed = f'<div class="scroll">{table}</div>{more}'
    return (
        f"<section><h2>{NAMES.get(vendor, escape(vendor))}</h2>"
        f"<p>Questions are answered: {_form(READS, {'vendor': vendor}, modes)}</p>"
        f"{listed if rows else '<p class=soft>No orders yet.</p>'}</section>"
    )


def _row(ledger: Ledger, charge: Charge, marks: Marks) -> str:
    number = f"{charge.id}" + (f", {escape(charge.reference)}" if charge.reference else "")
    names = "".join(_domain(charge, name, marks) for name in charge.domains[:MOST_DOMAINS])
    left = len(charge.domains) - MOST_DOMAINS
    names += f"<li>and {left} more</li>" if left > 0 else ""
    return (
        f'<tr><td>{number}<br><span class="soft">{charge.at[:16].replace("T", " ")} UTC</span></td>'
        f"<td><ul>{names}</ul></td>"
        f"<td>{escape(charge.amount)} {escape(charge.currency)}<br>{escape(charge.status)}"
        f"{_came_back(ledger, charge)}</td><td>{_acts(charge)}</td></tr>"
    )


def _came_back(ledger: Ledger, charge: Charge) -> str:
    back = [row for row in ledger.refunds(vendor=charge.vendor) if row.charge == charge.id]
    return "".join(f"<br>{escape(row.amount)} back ({escape(row.kind)})" for row in back)


def _domain(charge: Charge, name: str, marks: Marks) -> str:
    one = {"order": str(charge.id), "domain": name}
    buttons = ""
    if charge.status != CREATED and len(charge.domains) > 1:
        buttons = _form(DELIVER, one, "<button>Deliver now</button>")
        buttons += _form(CANCEL, one, "<button>Cancel</button>")
    done = marks.get((charge.id, name), "")
    mark = f'<span class="mark">{done}</span> ' if done else ""
    return f"<li>{escape(name)} {mark}{buttons}</li>"


def _acts(charge: Charge) -> str:
    one = {"order": str(charge.id)}
    if charge.status == CREATED:
        return _form(PROCESS, one, "<button>Process</button>")
    refund = (
        '<input name="amount" inputmode="decimal" aria-label="Amount" placeholder="13.00">'
        f'<select name="kind" aria-label="Comes as"><option>{MONEY}<option>{CREDIT}</select>'
        "<button>Give back</button>"
    )
    return (
        _form(DELIVER, one, "<button>Deliver now</button>")
        + _form(CANCEL, one, "<button>Cancel</button>")
        + _form(REFUND, one, refund)
    )


def _form(act: str, fields: Mapping[str, str], inside: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in {"act": act, **fields}.items()
    )
    return f'<form method="post" action="{ACTS}">{hidden}{inside}</form>'
