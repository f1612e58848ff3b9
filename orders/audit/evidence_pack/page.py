"""The readable page of a pack, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string

from mailops.core.money import Totals
from mailops.history.models import Event
from orders.audit.evidence_pack.scope import Scope
from orders.plan import short
from vendors.cost import with_price_label

NAME = "index.html"
MOST_RECORDS, MOST_LINES = 5_000, 500  # shown; the tables beside the page have them all


def of_order(content: Mapping[str, Any]) -> str:
    # A domain without mailboxes gets a line too.
    lines = [
        {"domain": domain["name"] if i == 0 else "", "state": domain.get("state", ""), **box}
        for domain in content["contents"]
        for i, box in enumerate(domain["mailboxes"] or [{"address": "", **domain}])
    ]
    snapshot = content["snapshot"] or {}
    context = {
        "told": content,
        "digest": short(content["digest"]) if content["digest"] else "",
        "totals": {name: Totals.from_dict(amounts) for name, amounts in content["cost"].items()},
        "confirmed": Totals.from_dict(snapshot.get("cost", content["cost"]).get("due_now", {})),
        "costs": _costs(snapshot),
        "request": _request(snapshot),
        "lines": lines[:MOST_LINES],
        "more": max(len(lines) - MOST_LINES, 0),
    }
    return render_to_string("evidence/order.html", context)


def _costs(snapshot: Mapping[str, Any]) -> list[dict[str, Any]]:
    labels = snapshot.get("labels", {})
    return [
        line | {"label": with_price_label(line["label"], labels.get(line["item"], ""))}
        for line in snapshot.get("cost", {}).get("lines", [])
    ]


def _request(snapshot: Mapping[str, Any]) -> str:
    # A snapshot holds placeholders instead of secrets.
    request = snapshot.get("request")
    if not request:
        return ""
    query = "&".join(f"{name}={value}" for name, value in request["query"])
    head = f"{request['method']} {snapshot['host']}{request['path']}{f'?{query}' if query else ''}"
    headers = [f"{name}: {value}" for name, value in request["headers"].items()]
    body = json.dumps(request["body"], indent=2, ensure_ascii=False)
    return "\n".join([head, *headers, "", body])


def before_records(scope: Scope) -> str:
    return render_to_string("evidence/records_head.html", {"scope": scope})


def records(events: Sequence[Event]) -> str:
    rows = [{"event": event, "changes": _shown(event.changes)} for event in events]
    return render_to_string("evidence/records.html", {"rows": rows})


def after_records(scope: Scope, shown: int) -> str:
    return render_to_string("evidence/records_foot.html", {"more": max(scope.count - shown, 0)})


def _shown(changes: Mapping[str, Any]) -> list[tuple[str, str]]:
    # Only an extract: the tables beside the page have every change in full.
    found = []
    for name, pair in list(changes.items())[:20]:
        before, after = pair if isinstance(pair, list) and len(pair) == 2 else (None, pair)
        is_new = before in (None, "", [], {})
        words = _short(after) if is_new else f"{_short(before)} → {_short(after)}"
        found.append((name.replace("_", " "), words))
    return found


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:160]}…"
