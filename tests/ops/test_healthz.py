"""`/healthz` for monitors, and the line about sending on every page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from mailops.core import heartbeat
from mailops.core.times import moment
from tests.conftest import OrderFactory
from tests.ops.health_state import ago, beat_at
from tests.page_table import PEOPLE
from tests.test_settings import PRODUCTION, run


def test_a_monitor_without_a_login_gets_one_word(well_committed: None) -> None:
    browser = Browser()
    for address in ("/healthz", "/healthz/"):
        response = browser.get(address)
        assert (response.status_code, response.content) == (200, b"ok\n")
        assert response.headers["Content-Type"] == "text/plain"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Vary" not in response.headers
        assert not response.cookies
    assert browser.head("/healthz").status_code == 200


@pytest.mark.parametrize("beat", [None, timedelta(minutes=4), timedelta(hours=-1)])
def test_a_monitor_hears_that_nothing_is_sending(
    well_committed: None, beat: timedelta | None
) -> None:
    cache.delete(heartbeat.BEAT) if beat is None else beat_at(timezone.now() - beat)
    response = Browser().get("/healthz")
    assert (response.status_code, response.content) == (503, b"not ok\n")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_a_monitor_may_only_look(db: None, method: str) -> None:
    response = getattr(Browser(enforce_csrf_checks=True), method)("/healthz")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("name", PEOPLE)
def test_whoever_asks_gets_the_same_word_and_no_session_is_read(
    well_committed: None, people: Any, name: str, django_assert_num_queries: Any
) -> None:
    browser = Browser()
    if name != "nobody":
        browser.force_login(getattr(people, name))
    with django_assert_num_queries(0):  # the look itself has a connection of its own
        response = browser.get("/healthz")
    assert (response.content, response.cookies) == (b"ok\n", {})


def test_a_monitor_inside_need_not_know_the_name(well_committed: None) -> None:
    inside = {"host": "10.1.2.3"}
    assert Browser().get("/login/", headers=inside).status_code == 400
    assert Browser().get("/healthz", headers=inside).status_code == 200


def test_a_missing_cache_table_is_not_ok_and_breaks_no_page(committed: None, people: Any) -> None:
    browser = Browser()
    browser.force_login(people.operator)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE mailops_cache")
    try:
        assert browser.get("/healthz").status_code == 503
        assert "Nobody can tell whether sending works" in browser.get("/").content.decode()
    finally:
        call_command("createcachetable")


ASK = """
import django
django.setup()
from django.test import Client
browser = Client(headers={"cookie": "sessionid=somebody", "host": "mailops.example.com"})
for address in ("/healthz", "/healthz/", "/login/"):
    response = browser.get(address)
    print(response.status_code, response.content.decode().strip(), dict(response.cookies))
"""


def test_a_live_installation_without_its_database_answers_503_to_a_visitor_with_a_session(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "-c", ASK, **PRODUCTION)
    assert done.stdout.splitlines() == ["503 not ok {}", "503 not ok {}", "301  {}"], done.stderr


MANY_ASK = """
import django, threading
django.setup()
from concurrent.futures import ThreadPoolExecutor
from django.test import RequestFactory
from mailops.ops.healthz import Healthz
healthz = Healthz(lambda request: None)
with ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(lambda _: healthz(RequestFactory().get("/healthz")).status_code, range(8)))
print(answers, sum(thread.name == "healthz" for thread in threading.enumerate()))
"""


def test_a_database_that_hangs_is_not_ok_and_many_who_ask_share_one_look(
    tmp_path: Path, hanging: str
) -> None:
    done = run(tmp_path, "-c", MANY_ASK, DATABASE_URL=hanging)
    assert done.stdout == f"{[503] * 8} 1\n", done.stderr


@pytest.mark.parametrize(
    ("beat", "chip", "card"),
    [
        (None, "Sending has not started yet", "Sending has not started yet."),
        (timedelta(0), "Sending works", "Sending works."),
        (
            timedelta(hours=1, seconds=5),
            "Nothing is sending since {}",
            "Nothing is sending since {} (1 hour).",
        ),
    ],
)
def test_every_page_says_whether_sending_works(
    well: None, people: Any, beat: timedelta | None, chip: str, card: str
) -> None:
    at = timezone.now() - (beat or timedelta(0))
    cache.delete(heartbeat.BEAT) if beat is None else beat_at(at)
    browser = Browser()
    browser.force_login(people.operator)
    assert f">{chip.format(moment(at))}<" in browser.get("/password_change/").content.decode()
    assert f"<p>{card.format(moment(at))}</p>" in browser.get("/").content.decode().replace(
        "\xa0", " "
    )


def test_the_confirm_page_says_that_nothing_is_sending(well: None, factory: OrderFactory) -> None:
    order = factory.reviewed()
    browser = Browser()
    browser.force_login(factory.people.confirmer)
    address = f"/orders/order/{order.pk}/confirm/"
    assert "as soon as sending works again" not in browser.get(address).content.decode()
    at = ago(hours=1)
    beat_at(at)
    said = f"Nothing is sending since {moment(at)}: it is sent as soon as sending works again."
    assert said in browser.get(address).content.decode()
