"""A database of an earlier version: today's code migrates and runs it.

`data/before_0_2.sqlite3.gz` was made by the version before 0.2: its `demo --no-orders`, then orders,
rules, proposals, comments and a month-end match through its own functions and pages, sent to its
practice vendors. Sessions, cache and queue were emptied before `VACUUM`; the sealed keys are
practice keys, under the seal key below.
"""

from __future__ import annotations

import base64
import gzip
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.test import Client as Browser

from mailops.history.verify import verify
from mailops.proposals.models import Proposal
from mailops.proposals.models import State as ProposalState
from orders import submission
from orders.models import Order, State
from orders.plan import plan
from tests.conftest import fresh
from vendors.models import Vendor
from vendors.practice.server import Practice

FILE = Path(__file__).parent / "data" / "before_0_2.sqlite3.gz"
SEAL_KEY = base64.urlsafe_b64encode(b"practice" * 4).decode()
PRACTICE_URL = "http://127.0.0.1:8001"  # a plan names the host that it goes to
PEOPLE = ["drafter", "confirmer", "operator", "auditor", "both", "boss"]
STATES = {  # how many orders are in each
    "draft": 4, "review": 7, "confirmed": 2, "unknown": 1, "refused": 1,
    "accepted": 3, "partly": 1, "delivered": 2, "cancelled": 1,
}  # fmt: skip
DIGESTS = {  # as the version before computed them, of every order that waits for a person or a time
    8: "b38a99f58bcf87eb393547bc13158f97ad6fc3e158e859dc24646c94ee1f94f8",
    12: "4ede61602728b583982e07cbe9b2fdb37d5ba944bf6ee2f51833208048b01f0b",
    13: "c75a9dfd92c4cfaf72ec48f53aa4abd4875205a2959456c3c117556e870314f0",
    14: "5a880401e9f3a0f2af1d0074b70fcdbe1efcdbe6408262db15ec5d3e69b7c119",
    15: "35113f14c6186ca62bf13a3648acafd7111b8c10ab2ed3a2ae6ce7f5eba3e080",
    16: "9d0e7485ae1a5ba63ffc36868d85548765a06a1a2bdbbdb7ea36fab8369d84cf",
    20: "bff3b7fee5e719016b4fd83c32d1701ac86304f8d3cf00a0383bb883dfa5f5ed",
    21: "57c9cba3b45902508c77c1dcd181bce199f117f527429280740c823869bc5b8c",
    22: "a33652219b851f461aa5cd8a679c1f2ef842f95c470284c1082151519deb0c28",
}
WAITING, HALF_CONFIRMED = (
    14,
    21,
)  # numbers of orders; the second needs two persons, one has confirmed
HREF = re.compile(r'<a\b[^>]*\bhref="([^"#]+)"')
ORDER = re.compile(r"/orders/order/(\d+)/")
KEPT = ("vendor", "product", "api")  # what of a query makes it another page


@contextmanager
def connected(file: Path) -> Iterator[None]:
    """Work on this SQLite file instead of the tests' own database, whichever kind that is."""
    settings = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
    before = connections["default"]
    wrapper = DatabaseWrapper(connections.configure_settings({"default": settings})["default"])
    connections["default"] = wrapper
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        wrapper.close()
        connections["default"] = before
        ContentType.objects.clear_cache()


@pytest.fixture(scope="module")
def migrated_file(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    file: Path = tmp_path_factory.mktemp("upgrade") / "mailops.sqlite3"
    file.write_bytes(gzip.decompress(FILE.read_bytes()))
    with django_db_blocker.unblock(), connected(file):
        executor = MigrationExecutor(connection)
        assert executor.migration_plan(
            executor.loader.graph.leaf_nodes()
        )  # there is something to do
        call_command("migrate", verbosity=0)
    return file


@pytest.fixture
def upgraded(
    migrated_file: Path, tmp_path: Path, settings: Any, django_db_blocker: Any
) -> Iterator[None]:
    """Each test has a copy of the migrated database."""
    settings.SEAL_KEYS = [SEAL_KEY]
    settings.PRACTICE_URL = PRACTICE_URL
    file = tmp_path / "mailops.sqlite3"
    file.write_bytes(migrated_file.read_bytes())
    with django_db_blocker.unblock(), connected(file):
        yield


def signed_in(name: str) -> Browser:
    browser = Browser(raise_request_exception=False)
    browser.force_login(User.objects.get(username=name))
    return browser


def crawl(browser: Browser) -> dict[str, int]:
    """Statuses of the pages that links lead to: each kind once, of orders each kind in each state."""
    states = {str(pk): state for pk, state in Order.objects.values_list("pk", "state")}
    todo, kinds, found = ["/"], {"/"}, dict[str, int]()
    while todo:
        url = todo.pop(0)
        response = browser.get(url, follow=True)  # a row's history is a list of another page
        found[url] = response.status_code
        if not response.get("Content-Type", "").startswith("text/html"):
            continue
        for link in HREF.findall(response.content.decode()):
            parts = urlsplit(html.unescape(link))
            if parts.netloc or parts.scheme or not parts.path.startswith("/"):
                continue
            query = parse_qs(parts.query)
            kept = "&".join(f"{name}={query[name][0]}" for name in KEPT if name in query)
            url = f"{parts.path}?{kept}" if kept else parts.path
            kind = re.sub(r"/\d+/", "/N/", url)
            if order := ORDER.match(url):
                kind = f"{kind} {states.get(order[1])}"
            if kind not in kinds:
                kinds.add(kind)
                todo.append(url)
    return found


def test_nothing_is_lost_and_the_models_fit_the_tables(upgraded: None) -> None:
    assert {state: Order.objects.filter(state=state).count() for state in STATES} == STATES
    assert Order.objects.count() == sum(STATES.values())
    for model in apps.get_models():
        list(model._base_manager.all())
    assert Proposal.objects.filter(state=ProposalState.PROPOSED).count() == 1
    assert all(vendor.has_its_secrets for vendor in Vendor.objects.all())


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_that_links_lead_to_opens(upgraded: None, name: str) -> None:
    found = crawl(signed_in(name))
    assert {url: status for url, status in found.items() if status != 200} == {}
    assert len(found) > 25


def test_orders_and_rows_of_every_model_have_their_pages(upgraded: None) -> None:
    boss, statuses = signed_in("boss"), {}
    for model in admin.site._registry:
        place = f"/{model._meta.app_label}/{model._meta.model_name}/"
        rows = list(model._base_manager.order_by("pk").values_list("pk", flat=True))
        rows = rows if model is Order else rows[:5]
        for url in (place, *(f"{place}{pk}/change/" for pk in rows)):
            statuses[url] = boss.get(url).status_code
    assert {url: status for url, status in statuses.items() if status != 200} == {}
    assert len(statuses) > 80


def test_its_history_is_unbroken(upgraded: None) -> None:
    assert verify().is_unbroken
    said = StringIO()
    call_command("verify_history", stdout=said)
    assert "The history is unbroken" in said.getvalue()


def test_nobody_has_to_confirm_again(upgraded: None) -> None:
    waiting = Order.objects.filter(state__in=[State.REVIEW, State.CONFIRMED])
    assert {order.pk: plan(fresh(order)).digest for order in waiting} == DIGESTS
    for order in waiting.filter(state=State.CONFIRMED):
        assert order.digest == DIGESTS[order.pk]
    half = Order.objects.get(pk=HALF_CONFIRMED)
    assert [given.digest for given in half.confirmations.all()] == [DIGESTS[HALF_CONFIRMED]]


def test_a_waiting_order_is_confirmed_and_sent(upgraded: None, practice: Practice) -> None:
    order = fresh(Order.objects.get(pk=WAITING))
    confirmer = User.objects.get(username="confirmer")
    submission.confirm(order.pk, by=confirmer, digest=plan(order).digest)
    assert submission.submit(order.pk)
    assert fresh(order).state == State.ACCEPTED
    assert len(practice.ledger.charges()) == 1
    assert verify().is_unbroken


def test_a_confirmation_that_was_begun_before_is_completed(upgraded: None) -> None:
    second = User.objects.get(username="second")
    submission.confirm(HALF_CONFIRMED, by=second, digest=DIGESTS[HALF_CONFIRMED])
    order = Order.objects.get(pk=HALF_CONFIRMED)
    assert (order.state, order.digest) == (State.CONFIRMED, DIGESTS[HALF_CONFIRMED])
    assert sorted(order.confirmations.values_list("name", flat=True)) == ["confirmer", "second"]
