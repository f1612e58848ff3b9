"""A database that is older than the last send holds all sending until a person released it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.utils import timezone

from mailops.history import audited, digest_mark, record
from mailops.history.digest_mark import Mark
from mailops.history.models import Event
from orders import submission
from orders.models import Attempt, Stage, State
from orders.outcomes import sweeper
from orders.sending import restored_backup
from tests.conftest import OrderFactory, fresh
from tests.ops.health_state import problems
from vendors.models import SendingSwitch
from vendors.practice.server import Practice

LOST = "f" * 64  # the hash of a record that the database does not have


def restore_a_backup() -> Mark:
    """As after a restore: the last send from here has a record that is not in the database."""
    newest = Event.objects.order_by("-number").values_list("number", flat=True).first() or 0
    settings.LAST_SENT_FILE.unlink(missing_ok=True)
    lost = Mark(newest + 5, LOST, timezone.now() + timedelta(seconds=1))
    digest_mark.note(lost)
    return lost


def charges(practice: Practice) -> int:
    return len(practice.ledger.charges())


def test_every_send_notes_its_record_outside_the_database(factory: OrderFactory) -> None:
    order = factory.sent()
    assert order.state == State.ACCEPTED
    event = Event.objects.get(action="attempt.about_to_send", subject=str(order))
    assert digest_mark.read() == Mark(event.number, event.hash, event.at.replace(microsecond=0))
    assert digest_mark.missing() is None


def test_an_order_is_not_sent_where_its_record_can_not_be_noted(
    factory: OrderFactory, practice: Practice, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.LAST_SENT_FILE = tmp_path / "file" / "last-sent.json"
    order = factory.sent()
    assert (order.state, charges(practice)) == (State.CONFIRMED, 0)
    assert "can't be noted outside the database" in order.reason
    assert "last-sent.json can't be written" in order.reason
    assert order.next_try_at
    assert any("last-sent.json can't be read" in text for text in problems())


def test_a_slower_worker_does_not_take_a_later_record_back(db: None) -> None:
    later = Mark(20, LOST, timezone.now().replace(microsecond=0))
    digest_mark.note(later)
    digest_mark.note(Mark(19, "e" * 64, timezone.now()))
    assert digest_mark.read() == later


@pytest.mark.parametrize("number", [0, 1_000_000])
def test_a_database_without_the_last_sends_record_sends_nothing(
    factory: OrderFactory, practice: Practice, number: int
) -> None:
    """`number` 0: the record's number was given again since the restore, to another record."""
    order = factory.confirmed()
    newest = Event.objects.order_by("-number").values_list("number", flat=True)[0]
    soon = timezone.now() + timedelta(seconds=1)
    digest_mark.note(Mark(number or newest, LOST, soon))
    submission.submit(order.pk)
    assert (fresh(order).state, charges(practice)) == (State.CONFIRMED, 0)
    switch = SendingSwitch.current()
    assert switch.stopped_reason.startswith("The database is older than the last send (record ")
    assert "looks like a restored backup. Orders since " in switch.stopped_reason
    assert switch.stopped_reason.endswith(" may have been sent.")
    held = Event.objects.get(action="sending.held")
    assert (held.who, held.reason) == ("MailOps", switch.stopped_reason)
    assert switch.stopped_reason in problems()


def test_the_hold_is_made_once(factory: OrderFactory) -> None:
    order = factory.confirmed()
    restore_a_backup()
    for _ in range(2):
        submission.submit(order.pk)
        sweeper.run()
    assert Event.objects.filter(action="sending.held").count() == 1


def test_the_sweep_and_every_page_notice_it_where_nothing_is_to_be_sent(
    people: Any, client: Browser
) -> None:
    with audited():
        record("user.added", people.drafter)
    restore_a_backup()
    client.force_login(people.drafter)
    assert "looks like a restored backup" in client.get("/orders/order/").content.decode()
    assert SendingSwitch.current().stopped_at
    settings.LAST_SENT_FILE.unlink()
    restore_a_backup()
    with audited():
        SendingSwitch.current().release()
        record("sending.released", SendingSwitch.current())
    settings.LAST_SENT_FILE.unlink()
    digest_mark.note(Mark(10**6, "e" * 64, timezone.now()))
    sweeper.run()
    assert SendingSwitch.current().stopped_at


def test_a_release_sends_confirmed_orders_back_and_then_sending_works(
    factory: OrderFactory, practice: Practice, client: Browser
) -> None:
    order, later = factory.confirmed(), factory.reviewed(word="later")
    restore_a_backup()
    submission.submit(order.pk)
    client.force_login(factory.people.operator)
    client.post("/vendors/vendor/release_all/", {"reason": "Compared with the vendors"})
    assert not SendingSwitch.current().stopped_at
    assert (fresh(order).state, fresh(order).reason) == (
        State.REVIEW,
        restored_backup.WHY_BACK,
    )
    submission.submit(order.pk)
    assert charges(practice) == 0
    factory.confirm(later)
    submission.submit(later.pk)
    assert (fresh(later).state, charges(practice)) == (State.ACCEPTED, 1)
    # and the next restored backup is noticed as well
    sent = digest_mark.read()
    assert sent
    assert sent.is_in_database


def test_a_release_sends_back_what_a_worker_had_in_hand_when_the_backup_was_made(
    factory: OrderFactory,
) -> None:
    attempt = factory.claimed()
    restore_a_backup()
    sweeper.run()
    call_command("release_sending", "--reason", "Compared")
    attempt.refresh_from_db()
    assert (attempt.stage, fresh(attempt.order).state) == (Stage.NOT_SENT, State.REVIEW)


def test_an_ordinary_hold_sends_nothing_back(factory: OrderFactory) -> None:
    order = factory.confirmed()
    call_command("hold_sending", "--reason", "A look at the bills")
    call_command("release_sending", "--reason", "All is well")
    assert fresh(order).state == State.CONFIRMED


def test_a_hold_that_somebody_took_away_in_the_database_comes_back(factory: OrderFactory) -> None:
    order = factory.confirmed()
    restore_a_backup()
    submission.submit(order.pk)
    SendingSwitch.objects.update(stopped_at=None)
    submission.submit(order.pk)
    assert SendingSwitch.current().stopped_at
    assert not Attempt.objects.filter(order=order).exists()


def test_without_the_file_there_is_nothing_to_compare(
    factory: OrderFactory, practice: Practice
) -> None:
    restore_a_backup()
    settings.LAST_SENT_FILE.unlink()
    assert factory.sent().state == State.ACCEPTED
    assert charges(practice) == 1


def test_the_commands_hold_and_release_with_the_reason_and_the_systems_user(db: None) -> None:
    call_command("hold_sending", "--reason", "A look at the bills")
    switch = SendingSwitch.current()
    assert switch.stopped_reason == "A look at the bills"
    assert switch.stopped_by_name.startswith("manage.py hold_sending, os user ")
    call_command("release_sending", "--reason", "They are right")
    assert not SendingSwitch.current().stopped_at
    released, held = Event.objects.all()[:2]
    assert (held.action, held.reason) == ("sending.held", "A look at the bills")
    assert (released.action, released.reason) == ("sending.released", "They are right")
    assert released.who.startswith("manage.py release_sending, os user ")
    with pytest.raises(CommandError, match="Sending is not held"):
        call_command("release_sending", "--reason", "Once more")
