"""The history: the database refuses edits, and whatever gets around that is found at the right
record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Model

from mailops.core import sql_triggers
from mailops.history import acting, record
from mailops.history.models import TRIGGERS, Event
from mailops.history.verify import Finding, verify

TABLE = Event._meta.db_table


def write(count: int, **details: Any) -> list[Event]:
    subject, _ = Group.objects.get_or_create(name="Drafter")
    with transaction.atomic():
        return [
            record(f"test.step{n}", subject, reason=f"because {n}", **details) for n in range(count)
        ]


@pytest.fixture
def six(db: None) -> list[Event]:
    """Six records and nothing else."""
    assert not Event.objects.exists()
    return write(6)


@contextmanager
def tampering() -> Iterator[Any]:
    """Raw SQL with the protection taken away for a moment."""
    sql_triggers.remove(connection, TRIGGERS)
    with connection.cursor() as cursor:
        yield cursor
    sql_triggers.install(connection, TRIGGERS)


def found(number: int, why: str) -> Finding:
    """What a verification should say: the bad record, all before it in order."""
    hashes = dict(Event.objects.values_list("number", "hash"))
    return Finding(records=number - 1, last_hash=hashes.get(number - 1, ""), bad=number, why=why)


# An unbroken chain


def test_an_empty_history_is_unbroken(db: None) -> None:
    assert verify() == Finding()
    assert verify().is_unbroken


def test_records_follow_from_one_another(six: list[Event]) -> None:
    assert [event.number for event in six] == [1, 2, 3, 4, 5, 6]
    assert [event.previous_hash for event in six] == ["", *(event.hash for event in six[:-1])]
    assert verify() == Finding(records=6, last_hash=six[-1].hash)


def test_what_the_database_gives_back_has_the_same_hash(db: None) -> None:
    details = {
        "money": [Decimal("12.30"), None],
        "when": [datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "2026-01-02"],
        "names": [
            ["Zoë", "李", "🙂", 'say "hi"', "back\\slash", "line\nbreak\u2028"],
            {"b": 1, "a": [True, 0.25, -7]},
        ],
    }
    with acting(who="Zoë", origin="2001:db8::1", request_id="r-1"):
        write(2, changes=details, attempt=2**60)
    assert verify().is_unbroken
    assert Event.objects.get(number=1).changes["money"] == ["12.30", None]


def test_a_chain_longer_than_one_portion_is_read_whole(db: None) -> None:
    write(2100)
    assert verify().records == 2100


def test_a_rolled_back_change_leaves_no_record_and_no_gap(six: list[Event]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        write(3)
        raise RuntimeError
    assert write(1)[0].number == 7
    assert verify().is_unbroken


def test_a_record_outside_a_transaction_is_refused(committed: None) -> None:
    group = Group.objects.get(name="Drafter")
    with pytest.raises(RuntimeError, match="same transaction"):
        record("test.step", group)
    assert not Event.objects.exists()


def test_names_stay_readable_when_people_and_things_go(db: None) -> None:
    user = User.objects.create_user("dana")
    with transaction.atomic():
        record("test.done", user, by=user)
    user.delete()
    event = Event.objects.get()
    assert (event.who, event.subject, event.actor) == ("dana", "dana", "dana")
    assert verify().is_unbroken


def test_appending_at_once_keeps_one_chain(committed: None) -> None:
    group = Group.objects.get(name="Drafter")
    ready, errors = threading.Barrier(6), []

    def run(name: int) -> None:
        try:
            ready.wait(10)
            for n in range(15):
                with transaction.atomic():
                    record(f"test.{name}.{n}", group)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert verify().records == 90
    assert Event.objects.values("action").distinct().count() == 90


# Tampering

OTHER: dict[str, Any] = {
    "at": datetime(2020, 1, 1, tzinfo=UTC), "who": "mallory", "user_id": 77, "worker": "w", "origin": "10.0.0.1",
    "request_id": "r", "action": "test.other", "subject_type": "x.y", "subject_id": "99", "subject": "other",
    "reason": "no reason", "changes": {"a": ["b", "c"]}, "attempt": 5,
}  # fmt: skip


def test_every_column_is_tried_below() -> None:
    names = {field.attname for field in Event._meta.concrete_fields}
    assert names == OTHER.keys() | {"number", "hash", "previous_hash"}


@pytest.mark.parametrize("field", sorted(OTHER))
@pytest.mark.parametrize("number", [1, 3, 6])
def test_an_edit_of_any_column_is_found_at_its_record(
    six: list[Event], field: str, number: int
) -> None:
    with tampering():
        Event.objects.filter(number=number).update(**{field: OTHER[field]})
    assert verify() == found(number, "its contents were altered")


def test_a_changed_hash_is_found(six: list[Event]) -> None:
    with tampering():
        Event.objects.filter(number=4).update(hash="0" * 64)
    assert verify() == found(4, "its contents were altered")


def test_an_edit_with_its_hash_made_to_fit_is_found_at_the_next_record(six: list[Event]) -> None:
    with tampering():
        forged = Event.objects.get(number=3)
        forged.who = "mallory"
        Event.objects.filter(number=3).update(who="mallory", hash=forged.digest())
    assert verify() == found(4, "it does not follow from the record before it")


def test_a_changed_link_is_found(six: list[Event]) -> None:
    with tampering():
        Event.objects.filter(number=5).update(previous_hash=six[1].hash)
    assert verify() == found(5, "it does not follow from the record before it")


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_deleted_record_is_found_missing(six: list[Event], number: int) -> None:
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE number = %s", [number])
    assert verify() == found(number, "this record is missing")


def test_a_deleted_record_whose_gap_was_closed_is_found(six: list[Event]) -> None:
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE number = 3")
        for number in (4, 5, 6):
            Event.objects.filter(number=number).update(number=number - 1)
    assert verify() == found(3, "it does not follow from the record before it")


def test_a_deleted_end_shows_against_the_digest_kept_elsewhere(six: list[Event]) -> None:
    kept = verify()
    with tampering() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE number >= 5")
    cut = verify()
    assert cut.is_unbroken  # a chain can't know that it was longer
    assert (cut.records, cut.last_hash) != (kept.records, kept.last_hash)


def test_an_inserted_record_is_found(six: list[Event]) -> None:
    with tampering():
        for number in (6, 5, 4):
            Event.objects.filter(number=number).update(number=number + 1)
        forged = Event.objects.get(number=3)
        forged.number, forged.previous_hash = 4, forged.hash
        forged.hash = forged.digest()
        forged.save(force_insert=True)
    assert verify() == found(5, "it does not follow from the record before it")


def test_a_record_added_by_hand_is_found(six: list[Event]) -> None:
    forged = Event.objects.get(number=6)
    forged.number, forged.hash = 7, "f" * 64
    forged.save(force_insert=True)  # adding is not refused: the chain shows it
    assert verify() == found(7, "it does not follow from the record before it")


def test_records_that_changed_places_are_found(six: list[Event]) -> None:
    with tampering():
        for old, new in ((2, 99), (4, 2), (99, 4)):
            Event.objects.filter(number=old).update(number=new)
    assert verify() == found(2, "it does not follow from the record before it")


# What the database refuses


def sql(statement: str) -> Callable[[], Any]:
    return lambda: connection.cursor().execute(statement)


ATTACKS: dict[str, Callable[[], Any]] = {
    "update": sql(f"UPDATE {TABLE} SET who = 'mallory' WHERE number = 2"),
    "update of the number": sql(f"UPDATE {TABLE} SET number = number + 100"),
    "update that changes nothing": sql(f"UPDATE {TABLE} SET who = who"),
    "delete": sql(f"DELETE FROM {TABLE} WHERE number = 2"),
    "delete of all": sql(f"DELETE FROM {TABLE}"),
    "queryset update": lambda: Event.objects.update(number=F("number") + 100),
    "queryset delete": lambda: Event.objects.all().delete(),
    "save": lambda: Event.objects.get(number=2).save(),
    "delete of one": lambda: Event.objects.get(number=2).delete(),
}
if connection.vendor == "postgresql":
    ATTACKS["truncate"] = sql(f"TRUNCATE {TABLE}")
    ATTACKS["truncate cascade"] = sql(f"TRUNCATE {TABLE} CASCADE")
    ATTACKS["upsert"] = sql(
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE number = 2 ON CONFLICT (number) DO UPDATE"
        " SET who = 'mallory'"
    )
else:
    ATTACKS["replace"] = sql(
        f"INSERT OR REPLACE INTO {TABLE} SELECT * FROM {TABLE} WHERE number = 2"
    )
    ATTACKS["replace into"] = sql(f"REPLACE INTO {TABLE} SELECT * FROM {TABLE}")


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses(six: list[Event], attack: str) -> None:
    before = list(Event.objects.values())
    with pytest.raises(DatabaseError, match="The history is append-only"), transaction.atomic():
        ATTACKS[attack]()
    assert list(Event.objects.values()) == before


# When the protection itself is gone


@pytest.mark.parametrize("number", range(len(TRIGGERS)))
def test_a_missing_trigger_is_reported_by_name(six: list[Event], number: int) -> None:
    trigger = TRIGGERS[number]
    if trigger.event == "TRUNCATE" and connection.vendor == "sqlite":
        assert trigger.name not in verify().missing_triggers  # SQLite has no TRUNCATE
        return
    sql_triggers.remove(connection, (trigger,))
    finding = verify()
    assert finding.missing_triggers == [trigger.name]
    assert finding.bad is None
    assert not finding.is_unbroken


def test_the_next_migration_puts_the_protection_back(committed: None) -> None:
    sql_triggers.remove(connection, TRIGGERS)
    call_command("migrate", verbosity=0)
    assert verify().missing_triggers == []


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite can only drop a trigger, not disable it"
)
def test_a_disabled_trigger_counts_as_missing(six: list[Event]) -> None:
    sql(f"ALTER TABLE {TABLE} DISABLE TRIGGER history_no_update")()
    assert verify().missing_triggers == ["history_no_update"]


# The command and the page


def test_the_command_prints_the_digest_to_keep_elsewhere(six: list[Event]) -> None:
    output = StringIO()
    call_command("verify_history", stdout=output)
    first, rate = output.getvalue().splitlines()
    assert first == f"The history is unbroken: 6 records, last hash {six[-1].hash}."
    assert rate.startswith("6 records read in ")


def test_the_command_fails_and_names_the_first_bad_record(six: list[Event]) -> None:
    with tampering():
        Event.objects.filter(number__in=[3, 5]).update(reason="other")
    with pytest.raises(
        CommandError, match="broken at record 3: its contents were altered"
    ) as failed:
        call_command("verify_history")
    assert failed.value.returncode == 1


def test_the_command_fails_without_the_protection(six: list[Event]) -> None:
    sql_triggers.remove(connection, TRIGGERS[:1])
    with pytest.raises(CommandError, match=f"no longer refuses edits: {TRIGGERS[0].name}"):
        call_command("verify_history")


def test_the_auditors_page_says_the_same(people: Any, six: list[Event], client: Any) -> None:
    client.force_login(people.auditor)
    page = "/history/event/verify/"
    assert "Nobody verified the history yet" in client.get(page).content.decode()
    assert "The history is unbroken" in client.post(page, follow=True).content.decode()
    with tampering():
        Event.objects.filter(number=3).update(who="mallory")
    said = client.post(page, follow=True).content.decode()
    assert "broken at record 3" in said
    assert "because 1" in said and "because 3" in said  # its neighbours, in full
    sql_triggers.remove(connection, TRIGGERS[:1])
    assert "no longer refuses edits" in client.get("/history/event/verify/").content.decode()


# Who, and from where


def test_a_web_request_leaves_who_and_from_where(people: Any, client: Any) -> None:
    client.force_login(people.operator)
    response = client.post(
        "/vendors/contact/add/", CONTACT, REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="10.9.8.7"
    )
    event = Event.objects.get(action="contact.added")
    assert (event.who, event.user_id, event.origin) == ("operator", people.operator.pk, "192.0.2.7")
    assert event.request_id == response["X-Request-ID"]


def test_a_proxys_word_counts_only_where_there_is_one(
    people: Any, client: Any, settings: Any
) -> None:
    settings.TRUST_FORWARDED_FOR = True
    client.force_login(people.operator)
    client.post(
        "/vendors/contact/add/",
        CONTACT,
        REMOTE_ADDR="192.0.2.7",
        HTTP_X_FORWARDED_FOR="6.6.6.6, 10.9.8.7",
    )
    assert Event.objects.get(action="contact.added").origin == "10.9.8.7"


def test_a_worker_is_named(db: None) -> None:
    with acting(worker=True):
        (event,) = write(1)
    assert event.actor == f"MailOps ({event.worker})"
    assert event.worker


def test_nobody_is_named_once_the_block_is_over(db: None) -> None:
    with acting(who="demo"):
        write(1)
    (event,) = write(1)
    assert (event.who, event.actor) == ("", "MailOps")


CONTACT = {
    "name": "Acme", "first_name": "Dana", "last_name": "Reyes", "email": "dana@acme.com", "city": "Austin",
    "address_line_one": "1 Main Street", "postal_code": "78701", "country": "US", "phone_country_code": "+1",
    "phone": "512 555 0100",
}  # fmt: skip


def test_subjects_of_any_length_are_recorded(db: None) -> None:
    subject: Model = Group(pk=1, name="x" * 500)
    with transaction.atomic():
        assert len(record("test.done", subject).subject) == 200
