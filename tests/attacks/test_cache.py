"""Somebody who can write to the database puts rows into the cache's table."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client as Browser
from django.utils import timezone

from mailops.core import heartbeat
from mailops.history import signed_cache
from mailops.history.models import Trace

pytestmark = pytest.mark.django_db
ran: list[str] = []


def run_code(word: str) -> str:
    ran.append(word)
    return word


class Payload:
    def __reduce__(self) -> Any:
        return run_code, ("from the cache",)


@pytest.fixture(autouse=True)
def nothing_ran() -> Iterator[None]:
    ran.clear()
    yield
    ran.clear()


def write(key: str, value: str) -> None:
    later = connection.ops.adapt_datetimefield_value(datetime(2999, 1, 1, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM mailops_cache WHERE cache_key = %s", [f":1:{key}"])
        cursor.execute(
            "INSERT INTO mailops_cache (cache_key, value, expires) VALUES (%s, %s, %s)",
            [f":1:{key}", value, later],
        )


def stored(key: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM mailops_cache WHERE cache_key = %s", [f":1:{key}"])
        return str(cursor.fetchone()[0])


def test_a_pickle_in_the_table_runs_nothing_for_a_visitor() -> None:
    pickled = base64.b64encode(pickle.dumps(Payload())).decode()
    assert pickle.loads(base64.b64decode(pickled)) == "from the cache"
    assert ran.pop() == "from the cache"  # the payload works where something unpickles it
    write(heartbeat.BEAT, pickled)
    assert Browser().get("/healthz").status_code == 503
    assert (ran, heartbeat.last_beat()) == ([], None)


def test_an_honest_heartbeat_is_read() -> None:
    heartbeat.beat()
    age = timezone.now() - (heartbeat.last_beat() or datetime.min.replace(tzinfo=UTC))
    assert timedelta() <= age < timedelta(minutes=5)
    assert heartbeat.status().works


def test_a_value_is_good_for_its_own_key_alone() -> None:
    cache.set("needed:1", 1)
    cache.set("needed:2", 2)
    write("needed:2", stored("needed:1"))
    assert (cache.get("needed:1"), cache.get("needed:2")) == (1, None)


def test_a_value_that_was_changed_is_not_there() -> None:
    cache.set("needed:1", 2)
    value, _, signature = stored("needed:1").partition(":")
    forged = base64.urlsafe_b64encode(b"1").decode().rstrip("=")
    assert value != forged
    write("needed:1", f"{forged}:{signature}")
    assert cache.get("needed:1", "nothing") == "nothing"


def test_a_foreign_row_leaves_a_trace_and_our_own_leave_none() -> None:
    cache.set("needed:1", 2)
    cache.add("needed:1", 3)
    cache.delete("needed:1")
    assert not Trace.objects.filter(table_name="mailops_cache").exists()
    write("x" * 200, "not ours")
    trace = Trace.objects.get(table_name="mailops_cache")
    assert (trace.what, trace.row_key) == ("insert", f":1:{'x' * 57}")
    assert "not ours" not in str(trace.after)


def test_values_come_back_as_they_were_until_they_expire() -> None:
    cache.set("plan", {"name": "Čapek", "lines": [1, "2", None, True]}, timeout=60)
    assert cache.get("plan") == {"name": "Čapek", "lines": [1, "2", None, True]}
    assert not cache.add("plan", 1)
    cache.set("old", 1, timeout=-1)
    assert cache.get("old") is None
    assert cache.add("old", 2)
    assert cache.get("old") == 2
    assert cache.delete("old")
    assert not cache.delete("old")


def test_what_is_over_is_removed_and_the_rest_stays() -> None:
    cache.set("over", 1, timeout=-5)
    cache.set("stays", 1, timeout=None)
    signed_cache.remove_expired()
    assert cache.get("stays") == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mailops_cache")
        assert cursor.fetchone()[0] == 1


def test_a_value_that_json_can_not_hold_is_refused_and_changes_nothing() -> None:
    cache.set("x", 1)
    with pytest.raises(TypeError), transaction.atomic():
        cache.set("x", object())
    assert cache.get("x") == 1
