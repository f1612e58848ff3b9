"""The paid POST of the tests, and the ways in which a raw server may answer it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.vendors.raw import Act, Visit
from vendors.http import Lost, NoConnection, Reply, Request, Secret, post_order

SECRETS = {"api_key": "practice-KEY", "hosting_password": "pa55-word"}
REQUEST = Request(
    method="POST",
    path="/orders",
    query=(("userId", "u 1&2"), ("api_key", Secret("api_key"))),
    headers={"x-api-key": Secret("api_key"), "Authorization": Secret("api_key", prefix="Bearer ")}
    | {"Content-Type": "application/json"},
    body={
        "name": "Zoë “D” O'Hara",
        "hosting": {"password": Secret("hosting_password")},
        "years": [1, True, None],
    },
)


def post(host: str, request: Request = REQUEST) -> Reply | NoConnection | Lost:
    return post_order(request.prepare(host, SECRETS))


def answering(body: bytes, **more: str) -> Act:
    def act(visit: Visit) -> None:
        visit.read()
        visit.answer(body, **more)

    return act


def in_time(do: Callable[[], Any]) -> Any:
    """What `do` returns; a failure, not a hanging test, where it would never end."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(do()), daemon=True)
    thread.start()
    thread.join(30)
    assert results, "it never ended"
    return results[0]


def saying(answer: bytes) -> Act:
    def act(visit: Visit) -> None:
        visit.read()
        visit.send(answer)

    return act


def endless_answer(visit: Visit) -> None:
    visit.read()
    visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
    visit.drip(b"{}")


TOO_LONG = "the whole answer did not arrive within the time allowed"
