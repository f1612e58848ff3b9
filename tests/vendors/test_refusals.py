"""The table of documented refusals: each is found while drafting, or named as what only the vendor
can know.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vendors.orders import reply
from tests.vendors.practised import post
from tests.vendors.refusals import (
    BY_NATURE,
    GOOD,
    PAGES,
    PRICE_LIST,
    Refusal,
)
from tests.vendors.refusals_page import TABLE, markdown, problem
from vendors.apis import REGISTRY
from vendors.http import Reply
from vendors.practice.server import Practice
from vendors.verdicts import Refused

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "refusals.md"
RULES = [entry for entry in TABLE if entry.kind == "rule"]
BUILT_IN = [entry for entry in TABLE if entry.kind == "built in"]
ONLY_THE_VENDOR = [entry for entry in TABLE if entry.kind == "only the vendor"]


def names(entries: list[Refusal]) -> list[str]:
    return [entry.name for entry in entries]


def sent_broken(practice: Practice, entry: Refusal) -> Reply:
    order = GOOD[entry.key].but(**{**entry.order, **(entry.broken or {})})
    request = REGISTRY[entry.key[0]].order_request(order)
    body = copy.deepcopy(request.body)
    if entry.wire:
        entry.wire(body)
    request = replace(request, body=body, headers={**request.headers, **entry.headers})
    return post(practice, entry.key[0], request, order.secret_names)


# the table


@pytest.mark.parametrize("entry", RULES, ids=names(RULES))
def test_a_rule_names_the_place_and_the_fix(entry: Refusal) -> None:
    found = problem(entry)
    assert found, [
        str(each)
        for each in REGISTRY[entry.key[0]].check(GOOD[entry.key].but(**entry.broken), PRICE_LIST)
    ]
    assert found.message.endswith((".", "”."))
    assert found.fix


@pytest.mark.parametrize("entry", RULES + BUILT_IN, ids=names(RULES + BUILT_IN))
def test_the_practice_vendor_refuses_the_same_order(practice: Practice, entry: Refusal) -> None:
    answer = sent_broken(practice, entry)
    assert answer.status == entry.status, answer.body
    assert entry.words in answer.body.decode().replace('\\"', '"').replace('", "issue": "', " ")
    verdict = REGISTRY[entry.key[0]].read_reply(GOOD[entry.key], answer)
    assert isinstance(verdict, Refused), verdict


@pytest.mark.parametrize("entry", ONLY_THE_VENDOR, ids=names(ONLY_THE_VENDOR))
def test_an_answer_that_only_the_vendor_can_give_is_read_as_the_table_says(entry: Refusal) -> None:
    assert entry.reply
    verdict = REGISTRY[entry.key[0]].read_reply(
        GOOD[entry.key].but(**entry.order), reply(*entry.reply)
    )
    assert isinstance(verdict, entry.verdict), verdict
    assert entry.ours in str(verdict)
    if isinstance(verdict, Refused):
        [found] = verdict.problems
        assert "Nothing was" in found.message
        assert found.fix
        assert (found.field, found.row) == (entry.field, entry.row) or not entry.field


def test_the_key_and_the_reason_name_an_entry_once() -> None:
    assert [name for name, times in Counter(names(TABLE)).items() if times > 1] == []


def test_every_entry_says_where_it_is_documented() -> None:
    assert [entry.name for entry in TABLE if not (entry.source or entry.quotes)] == []


@pytest.mark.parametrize("key", GOOD)
def test_every_request_has_what_no_vendor_can_take(key: tuple[str, str]) -> None:
    assert len([entry for entry in TABLE if entry.key == key and entry.source == BY_NATURE]) >= 4


# the table against the pages

# Words with which a page speaks of a refusal.
SPEAKS = re.compile(
    r"required|must\b|fail|insufficient|exactly|invalid|missing|unauthori[sz]ed|error|\bonly\b|unavailable|"
    r"not allowed|do not|conditional|yes\b|malformed|\b4\d\d\b|\b50[0-9]\b|⚠|needed?\b",
    re.IGNORECASE,
)
# What has such a word on a page and refuses nothing: headings of tables, samples of code, and
# remarks.
HARMLESS: dict[str, tuple[str, ...]] = {
    "coldmailreseller-create-order.txt": (
        "Type Required Description",
        "microsoftOauthRoute# Required : No",
        "google# Required : No",
        "This flag applies to mailboxes renewal only",
    ),
    "coldmailreseller-create-mailbox-order.txt": ("Type Required Description", "(Scenario 2 only)"),
    "scaledmail-create-order.txt": (
        "All parameters below must be included in the JSON body.",
        "Must include the relevant:",
        'Not required when using "scaledmail" as the provider.',
    ),
    "smartsenders-place-order.txt": (),
    "woodpecker-order-domain-mailboxes.txt": (
        "| Field | Type | Required | Description |",
        "title | string | A short title describing the error |",
        "details | string | A detailed message explaining the error |",
        "timestamp | string | The timestamp when the error occurred |",
        "type | string | Error type |",
        '"value": "richard@missing.com"',
        "message | string | Error message |",
        'raise Exception(f"POST request failed: {response.status_code}, {response.text}")',
        'print("Error:", e)',
        'throw new Exception("POST request failed: "',
        'System.out.println("Error: " + e.getMessage());',
        "catch (error)",
        (
            "console.error('POST request failed:', error.response ? error.response.status :"
            " error.message);"
        ),
        'echo "Error: "',
    ),
}


@pytest.mark.parametrize(
    "entry", [e for e in TABLE if e.quotes], ids=names([e for e in TABLE if e.quotes])
)
def test_a_quote_stands_on_its_page(entry: Refusal) -> None:
    text = (HERE / "pages" / PAGES[entry.key]).read_text()
    assert [quote for quote in entry.quotes if quote not in text] == []


@pytest.mark.parametrize("key", PAGES)
def test_whatever_a_page_says_of_a_refusal_has_an_entry(key: tuple[str, str]) -> None:
    text = (HERE / "pages" / PAGES[key]).read_text()
    quotes = [quote for entry in TABLE if entry.key == key for quote in entry.quotes]
    for quote in sorted([*quotes, *HARMLESS[PAGES[key]]], key=len, reverse=True):
        text = text.replace(quote, "·")
    left = [text[max(0, found.start() - 60) : found.end() + 60] for found in SPEAKS.finditer(text)]
    assert left == []


def test_the_operators_page_is_in_step_with_the_table() -> None:
    assert DOCS.read_text() == markdown()
