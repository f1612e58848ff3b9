"""Finds the vendor and the route of a request, checks the request and writes the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from vendors.practice import (
    coldmailreseller,
    dashboard_page,
    scaledmail,
    smartsenders,
    woodpecker,
)
from vendors.practice.behaviours import BAD_KEY, BROKEN, FOLLOWED, RUBBISH
from vendors.practice.dashboard_acts import FAIL, HANG, OK, mode_of
from vendors.practice.faults import place
from vendors.practice.ledger import Ledger, account_of
from vendors.practice.wire_types import Answer, Call, Manner, Purchase, Route, Twin, json_answer

TWINS: Mapping[str, Twin] = {
    twin.name: twin
    for twin in (coldmailreseller.TWIN, scaledmail.TWIN, woodpecker.TWIN, smartsenders.TWIN)
}
BOOKS = "/ledger.json"
GOOD_KEY = "practice-"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A whole request. `target` is path and query as they came; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def answer(
    sent: Sent, *, ledger: Ledger, redirected: MutableMapping[str, Sent], delivery_seconds: float
) -> Answer:
    """The answer to one request. `redirected` holds redirected requests by their new target."""
    # Most clients follow a 301 or 302 with a GET without a body. The redirected one counts.
    if sent.method == "GET":
        sent = replace(redirected.get(sent.target, sent), target=sent.target)
    reply = _answer(sent, ledger=ledger, delivery_seconds=delivery_seconds)
    if elsewhere := reply.headers.get("Location"):
        redirected[elsewhere] = sent
    return reply


def _answer(sent: Sent, *, ledger: Ledger, delivery_seconds: float) -> Answer:
    path, _, query = sent.target.partition("?")
    vendor, _, rest = path.removeprefix("/").partition("/")
    if vendor not in TWINS:
        return _of_no_vendor(sent, path, query, ledger)
    twin = TWINS[vendor]
    found = _route(twin, sent.method, f"/{rest}")
    if found is None:
        return twin.error(404, "Not found")
    route, args = found
    pairs = parse_qsl(query, keep_blank_values=True)
    call = Call(
        vendor=vendor,
        account=account_of(twin.key(sent.headers, dict(pairs))),
        path=f"/{rest}",
        target=sent.target,
        args=args,
        query={name: value for name, value in pairs if name != FOLLOWED},
        body=sent.body,
        json=_json_object(sent.body) or {},
        ledger=ledger,
        delivery_seconds=delivery_seconds,
        is_followed=FOLLOWED in dict(pairs),
    )
    # In the order of a real server: the first refusal is the answer.
    refusal = (
        (twin.error(405, "Method not allowed") if sent.method != route.method else None)
        or (
            None
            if twin.key(sent.headers, call.query).startswith(GOOD_KEY)
            else twin.error(401, BAD_KEY)
        )
        or _refused_query(twin, route, pairs)
        or (
            _refused_body(twin, route, sent.headers, sent.body)
            if route.check or route.asks
            else None
        )
    )
    if route.check:
        return _paid(twin, route, call, refusal)
    return refusal or _out_of_order(twin, call) or _outright(route.handle(call))


def _of_no_vendor(sent: Sent, path: str, query: str, ledger: Ledger) -> Answer:
    if path == BOOKS:
        return json_answer(200, ledger.books(parse_qs(query).get("domain", [None])[0]))
    if path in (dashboard_page.PAGE, dashboard_page.ACTS):
        return dashboard_page.answer(
            sent.method, path, sent.headers, sent.body, ledger=ledger, twins=TWINS
        )
    places = f"{', '.join(TWINS)}, the books at {BOOKS}, and {dashboard_page.PAGE}"
    return json_answer(404, {"error": f"There are {places}."})


def _out_of_order(twin: Twin, call: Call) -> Answer | None:
    """The answer to every read of a vendor that the dashboard set so; None where all is well."""
    mode = mode_of(call.ledger, call.vendor)
    if mode == OK:
        return None
    if mode == HANG:
        return Answer(manner=Manner.SILENCE)
    if mode == FAIL:
        return twin.error(500, BROKEN)
    return Answer(body=RUBBISH, headers={"Content-Type": "text/html; charset=utf-8"})


def _route(twin: Twin, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    # One path may have a read and a paid request: the method decides between them.
    there = [(route, args) for route in twin.routes if (args := route.match(path)) is not None]
    there.sort(key=lambda found: found[0].method != method)
    return there[0] if there else None


def _refused_query(twin: Twin, route: Route, pairs: list[tuple[str, str]]) -> Answer | None:
    query = dict(pairs)
    for name, words in route.required.items():
        if not query.get(name, "").strip():
            return twin.error(400, words)
    for name in query:
        if name not in {*route.required, *route.optional, FOLLOWED}:
            return twin.error(400, f'"{name}" is not allowed')
    return twin.error(400, "A query name was given twice") if len(query) < len(pairs) else None


def _refused_body(
    twin: Twin, route: Route, headers: Mapping[str, str], body: bytes
) -> Answer | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in route.content_types:
        return twin.error(400, f"Content-Type must be {' or '.join(sorted(route.content_types))}")
    value = _json_object(body)
    if value is None:
        return twin.error(400, "The body must be a JSON object")
    check = route.check or route.asks
    flaws = list(check(value, "")) if check else []
    return twin.invalid(flaws) if flaws else None


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_without_repeats, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        # Servers differ in which of two equal keys counts, so an order must not depend on that.
        raise ValueError
    return dict(pairs)


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity, which are no JSON.
    raise ValueError(name)


def _paid(twin: Twin, route: Route, call: Call, refusal: Answer | None) -> Answer:
    # Charge and arrival are one transaction that ends before the answer, so the ledger is true
    # whatever happens to the connection.
    with call.ledger.transaction():
        judged = refusal or route.handle(call)
        placing = None
        if isinstance(judged, Purchase):
            placing, judged = place(twin, call, judged)
        call.ledger.record_arrival(
            vendor=call.vendor,
            account=call.account,
            path=call.path,
            domains=placing.purchase.domains if placing else [],
            body_sha256=call.body_sha256,
            whole_sha256=call.whole_sha256,
            outcome=placing.purchase.status
            if placing and placing.is_written
            else _in_words(judged),
            fault=placing.fault if placing else "",
        )
        return judged


def _in_words(answer: Answer) -> str:
    if answer.manner in (Manner.CUT, Manner.SILENCE):
        return "not answered, not charged"
    return f"answered {answer.status}, not charged"


def _outright(answer: Answer | Purchase) -> Answer:
    assert isinstance(answer, Answer), "only a route with a check takes orders"
    return answer
