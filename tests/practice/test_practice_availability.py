"""Asking the practice vendors whether names are free: documented shapes, strict checks, and names
that go wrong.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.practice.conftest import headers_of
from vendors.practice import availability_answers

ROOT = Path(__file__).resolve().parents[2]
ORGANIZATION = {"organization_id": "recOrg"}


def ask(
    vendors: Any, kind: str, path: str, query: dict[str, str], body: Any, **changed: Any
) -> requests.Response:
    return requests.post(
        f"{vendors.server.url}/{path}",
        params=query,
        headers=headers_of(kind, changed.get("key", "practice-key"))
        | {"Content-Type": "application/json"},
        data=json.dumps(body),
        timeout=30,
    )


def woodpecker(vendors: Any, *domains: str, **changed: Any) -> requests.Response:
    query = {"provider": "GOOGLE"} | changed.pop("query", {})
    path = "woodpecker/rest/v2/domains/availability"
    return ask(
        vendors,
        "woodpecker",
        path,
        query,
        changed.pop("body", {"domains": list(domains)}),
        **changed,
    )


def scaledmail(vendors: Any, *domains: str) -> requests.Response:
    return ask(
        vendors,
        "scaledmail",
        "scaledmail/api/v1/search-domains",
        ORGANIZATION,
        {"domains": list(domains)},
    )


def smartsenders(vendors: Any, domain: str, vendor_id: str = "9") -> requests.Response:
    path = "smartsenders/api/v1/smart-senders/search-domain"
    answer: requests.Response = vendors.read(
        "smartsenders", path, domain_name=domain, vendor_id=vendor_id
    )
    return answer


def test_woodpecker_answers_as_its_page_shows(vendors):
    answer = woodpecker(vendors, "free-acme.com", "acme.com", "premium.com", "unsaid.com")
    assert answer.json() == {
        "provider": "GOOGLE",
        "domains": [
            {
                "domain": "free-acme.com",
                "available": True,
                "price": {"amount": "13.00", "currency": "USD"},
            },
            {"domain": "acme.com", "available": False, "price": None},
            {
                "domain": "premium.com",
                "available": True,
                "price": {"amount": "2400.00", "currency": "USD"},
            },
        ],
    }
    assert vendors.ledger.requests() == []


def test_woodpecker_is_strict_about_the_question(vendors):
    assert woodpecker(vendors, "acme.com", query={"provider": ""}).status_code == 400
    assert woodpecker(vendors, "acme.com", query={"provider": "NOBODY"}).status_code == 400
    assert woodpecker(vendors, "acme.com", query={"surprise": "1"}).status_code == 400
    assert woodpecker(vendors, "no domain").status_code == 422
    assert woodpecker(vendors, "acme.com", "ACME.com").status_code == 422
    assert woodpecker(vendors, body={"domains": ["acme.com"], "x": 1}).status_code == 422
    assert woodpecker(vendors, "acme.com", key="live-key").status_code == 401


def test_scaledmail_answers_with_a_bare_list_of_at_most_ten(vendors):
    taken, free = scaledmail(vendors, "acme.com", "free-acme.com").json()
    assert taken == {"domain": "acme.com", "status": "taken", "price": None, "renewPrice": None}
    assert free == {
        "domain": "free-acme.com",
        "status": "available",
        "price": 13.0,
        "renewPrice": 13.0,
    }
    assert scaledmail(vendors, *[f"a{n}.com" for n in range(10)]).status_code == 200
    assert scaledmail(vendors, *[f"a{n}.com" for n in range(11)]).status_code == 400


def test_scaledmail_suggests_in_pages(vendors):
    path = "scaledmail/api/v1/suggest-domains"
    answer = ask(
        vendors,
        "scaledmail",
        path,
        ORGANIZATION | {"page": "1", "limit": "4"},
        {"domain": "taken-acme.com"},
    )
    body = answer.json()
    assert {row["status"] for row in body["domains"]} == {"available"}
    assert body["domains"][0]["domain"] == "getacme.com"
    assert (len(body["domains"]), body["page"], body["limit"]) == (4, 1, 4)
    assert body["total_pages"] == -(-body["total"] // 4)
    for wrong in ({"page": "0"}, {"limit": "51"}, {"limit": "x"}):
        assert (
            ask(
                vendors, "scaledmail", path, ORGANIZATION | wrong, {"domain": "acme.com"}
            ).status_code
            == 400
        )
    assert ask(vendors, "scaledmail", path, ORGANIZATION, {"domain": ""}).status_code == 400


def test_smartsenders_answers_with_a_bare_object_and_suggestions(vendors):
    free, taken = (
        smartsenders(vendors, "acme.com").json(),
        smartsenders(vendors, "taken-acme.com").json(),
    )
    assert (free["domain"], free["available"]) == ("acme.com", True)
    assert (taken["domain"], taken["available"]) == ("taken-acme.com", False)
    assert taken["suggestions"][0] == {"domain": "getacme.com"}
    assert smartsenders(vendors, "unsaid-acme.com").json() == {"ok": True, "data": []}
    assert smartsenders(vendors, "premium-acme.com").json()["available"] is False
    assert smartsenders(vendors, "").status_code == 400
    assert smartsenders(vendors, "acme.com", "77").status_code == 400


def test_what_was_bought_here_is_taken(vendors):
    assert vendors.order("smartsenders", "free-acme.com").ok
    assert smartsenders(vendors, "free-acme.com").json()["available"] is False


@pytest.mark.parametrize("question", [woodpecker, scaledmail, smartsenders])
def test_names_make_a_question_go_wrong(vendors, question):
    assert question(vendors, "search-error-acme.com").status_code == 500
    rubbish = question(vendors, "search-rubbish.com")
    assert (rubbish.status_code, rubbish.text.startswith("<!doctype")) == (200, True)
    busy = question(vendors, "search-busy.com")
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "2")


def test_a_vendor_that_never_answers_says_nothing(run):
    with pytest.raises(requests.exceptions.RequestException):
        scaledmail(run(silence=0.2), "search-silent.com")


def test_every_value_is_its_own():
    assert [
        availability_answers.value_of(f"{name}-acme.com") for name in availability_answers.VALUES
    ] == list(availability_answers.VALUES)
    assert availability_answers.value_of("freedom.com") == ""


def test_the_docs_list_every_such_name_in_its_own_words():
    text = (ROOT / "docs" / "practice.md").read_text(encoding="utf-8")
    section = text.split("## Asking for names")[1].split("\n## ")[0]
    assert (
        dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", section, re.M))
        == availability_answers.VALUES
    )
