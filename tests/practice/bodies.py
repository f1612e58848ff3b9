"""Request bodies with one value changed."""

from __future__ import annotations

from typing import Any

GONE = object()


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with one value replaced, or taken out where the value is GONE."""
    place = body
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return body


def words_of(answer) -> str:
    """What is wrong, wherever this vendor's error body says it."""
    body = answer.json()
    if body.get("fields"):
        return f"{body['fields'][0]['field']} {body['fields'][0]['issue']}"
    return body.get("error") or body.get("details") or body["message"]


BOX = {"username": "ann", "firstName": "Ann", "lastName": "Lee"}
