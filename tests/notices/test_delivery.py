"""The outbox: each notice once, again after a failure, never to people who are gone."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from mailops.history import record
from mailops.notices import collect, deliver, tasks
from mailops.notices.models import TRIES, Notice, NoticeCursor, NoticeSettings, Wait
from mailops.ops.diagnostics import findings
from orders.models import Order, State
from tests.conftest import OrderFactory, fresh
from tests.notices.conftest import sent_subjects

Tick = Callable[[], None]


def later(**how_long: float) -> None:
    """Time passes: what is due then is due now."""
    span = timedelta(**how_long)
    Notice.objects.update(due_at=F("due_at") - span)
    Wait.objects.update(next_at=F("next_at") - span, since=F("since") - span)


def sent_to(*names: str) -> list[str]:
    return [message.subject for message in mail.outbox if message.to[0].partition("@")[0] in names]


# Once


def test_an_event_is_told_once_however_often_it_is_read(factory: OrderFactory, tick: Tick) -> None:
    factory.reviewed()
    before = NoticeCursor.objects.get().number
    tick()
    NoticeCursor.objects.update(
        number=before
    )  # as if the worker had vanished before it noted how far it was
    tick()
    assert len(sent_to("confirmer")) == 1


def test_of_two_workers_only_one_takes_a_notice(factory: OrderFactory) -> None:
    factory.reviewed()
    collect.run(timezone.now())
    Notice.objects.exclude(user=factory.people.confirmer).delete()
    now = timezone.now()
    assert [notice.tries for notice in deliver.claim(now) or []] == [1]
    assert deliver.claim(now) is None


def test_a_worker_that_vanishes_while_it_sends_makes_it_go_out_once_more(
    factory: OrderFactory, tick: Tick
) -> None:
    factory.reviewed()
    collect.run(timezone.now())
    Notice.objects.exclude(user=factory.people.confirmer).delete()
    taken = deliver.claim(timezone.now())
    assert taken
    deliver._send(taken)  # and gone before it could say so
    tick()
    assert len(mail.outbox) == 1  # its claim still holds
    later(minutes=6)
    tick()
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]
    assert sent_subjects("waiting").keys() == {"confirmer"}


def test_notices_that_are_turned_off_are_not_made_up_for(
    factory: OrderFactory, tick: Tick, settings: Any
) -> None:
    settings.NOTICES = False
    factory.reviewed()
    tick()
    settings.NOTICES = True
    tick()
    assert Notice.objects.count() == 0


# To whom not


def test_people_who_left_or_lost_the_role_get_none(factory: OrderFactory, tick: Tick) -> None:
    factory.reviewed()
    collect.run(timezone.now())  # they still could when it happened
    User.objects.filter(username="confirmer").update(is_active=False)
    factory.people.both.groups.remove(Group.objects.get(name="Confirmer"))
    tick()
    assert sent_subjects() == {}
    assert {notice.why for notice in Notice.objects.filter(user=factory.people.both)} == {
        "This person may not act on it any more."
    }
    factory.reviewed(word="later")
    tick()
    assert sent_subjects() == {}


def test_a_person_without_an_address_gets_none_and_nothing_fails(
    factory: OrderFactory, tick: Tick
) -> None:
    User.objects.filter(username="confirmer").update(email="")
    factory.reviewed()
    tick()
    assert sent_subjects().keys() == {"both"}
    assert not Notice.objects.filter(user=factory.people.confirmer).exists()


# Reminders


def test_reminders_come_ever_more_rarely_and_not_for_ever(
    factory: OrderFactory, tick: Tick
) -> None:
    factory.reviewed()
    tick()
    for hours in (3, 1, 4, 4, 16, 32, 63, 1, 200):
        later(hours=hours)
        tick()
    subjects = [subject for subject in sent_to("confirmer") if "Still open" in subject]
    assert [subject.partition("for ")[2].partition("for ")[2] or subject for subject in subjects] == [
        "4 hours", "12 hours", "28 hours", "2 days", "5 days",
    ]  # fmt: skip


def test_an_order_that_somebody_took_care_of_is_not_reminded_of(
    factory: OrderFactory, tick: Tick
) -> None:
    order = factory.reviewed()
    tick()
    factory.confirm(order)
    tick()
    later(hours=5)
    tick()
    assert sent_subjects("reminder") == {}
    assert not Wait.objects.exists()


def test_an_unknown_outcome_is_reminded_of_to_who_may_settle_it(
    factory: OrderFactory, tick: Tick
) -> None:
    order = factory.sent(word="cut-after")
    tick()
    later(hours=5)
    tick()
    assert sent_subjects("reminder").keys() == {"confirmer", "both", "boss"}
    assert (
        f"Still open: {order} has an unknown outcome for 5 hours"
        in sent_subjects("reminder").values()
    )


# Servers that fail


class Refusing(socketserver.StreamRequestHandler):
    """A mail server that greets, and then refuses the recipient."""

    def handle(self) -> None:
        self.server.calls += 1  # type: ignore[attr-defined]
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            answers = {b"RCPT": b"550 no such person swordfish\r\n", b"QUIT": b"221 bye\r\n"}
            self.wfile.write(answers.get(word, b"250 ok\r\n"))


class Silent(socketserver.BaseRequestHandler):
    """A mail server that says nothing at all."""

    def handle(self) -> None:
        self.server.calls += 1  # type: ignore[attr-defined]
        self.request.recv(1)  # until the other side gives up


@pytest.fixture
def smtp(settings: Any) -> Iterator[Callable[[type], Any]]:
    """Puts a mail server of the test's own in its place."""
    running: list[Any] = []

    def start(handler: type) -> Any:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.calls = 0  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        settings.EMAIL_TIMEOUT = 0.3
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_a_silent_mail_server_is_asked_once_a_run_and_orders_go_on(
    factory: OrderFactory, tick: Tick, smtp: Any
) -> None:
    server = smtp(Silent)
    order = factory.reviewed()
    tick()
    assert server.calls == 1  # though there were notices for two people
    factory.confirm(order)
    assert fresh(order).state == State.CONFIRMED
    late = Notice.objects.get(tries=1)
    assert late.why == "The mail server can't be reached or does not answer."
    assert late.due_at > timezone.now() + timedelta(seconds=30)


def test_a_refused_recipient_stops_nobody_elses_mail_and_is_given_up_in_the_end(
    factory: OrderFactory, tick: Tick, smtp: Any, caplog: Any
) -> None:
    server = smtp(Refusing)
    factory.reviewed()
    tick()
    assert server.calls == 2
    for _ in range(TRIES):
        later(hours=9)
        Wait.objects.update(next_at=None)
        tick()
    assert server.calls == 2 * TRIES
    assert set(Notice.objects.values_list("gave_up", "why")) == {
        (True, "The mail server refuses the address.")
    }
    assert "swordfish" not in caplog.text  # whatever a server says, it is not written down


def test_health_says_that_notices_do_not_go_out(
    factory: OrderFactory, tick: Tick, smtp: Any
) -> None:
    smtp(Refusing)
    factory.reviewed()
    for _ in range(3):
        tick()
        later(hours=9)
    said = [
        finding for finding in findings() if "notices to people can't be delivered" in finding.text
    ]
    assert [finding.level for finding in said] == ["problem"]
    assert "The mail server refuses the address." in said[0].text


def test_a_live_installation_without_a_mail_server_says_so(
    factory: OrderFactory, tick: Tick, settings: Any
) -> None:
    settings.MAIL_IS_SET = False
    factory.reviewed()
    tick()
    assert mail.outbox == []
    assert "No mail server is set for MailOps (EMAIL_URL)." in Notice.objects.values_list(
        "why", flat=True
    )


# The digest


def test_a_digest_is_one_message_about_everything(factory: OrderFactory, tick: Tick) -> None:
    NoticeSettings.objects.create(
        user=factory.people.confirmer, choices={"waiting": ["digest", "email"]}
    )
    orders = [factory.reviewed(word=f"word{number}") for number in range(3)]
    gone = factory.confirmed(word="gone")
    tick()
    assert sent_to("confirmer") == []
    later(hours=25)
    Wait.objects.update(next_at=None)
    tick()
    assert sent_to("confirmer") == ["MailOps: 3 things in your digest"]
    body = mail.outbox[-1].body
    for order in orders:
        assert (
            f"* {order} waits for confirmation\n "
            f" https://mailops.example.com/orders/order/{order.pk}/" in body
        )
    assert str(gone) not in body


# Words of strangers


def test_hostile_words_stay_words(factory: OrderFactory, tick: Tick) -> None:
    order = factory.reviewed()
    evil = (
        'Hi\r\nBcc: all@evil.example\n<a href="https://evil.example">click</a> @everyone'
        " [x](https://evil.example)\u202e"
    )
    with transaction.atomic():
        order.send_back(by=factory.people.confirmer, reason=evil)
    factory.accounts["woodpecker"].name = "Wood\r\nTo: eve@evil.example <!channel>"
    with transaction.atomic():
        record("vendor.stopped", factory.accounts["woodpecker"], reason=evil)
    tick()
    assert len(mail.outbox) >= 3
    for message in mail.outbox:
        source = message.message()
        assert source.get_content_type() == "text/plain"
        assert "Bcc" not in source and "\n" not in message.subject and len(message.to) == 1
        text = message.subject + str(message.body)
        assert not [
            sign
            for sign in ("<", "https://evil", "@everyone", "](", "\u202e", "\r")
            if sign in text
        ]


def test_the_history_verifies_and_orders_are_untouched_by_notices(
    factory: OrderFactory, tick: Tick
) -> None:
    order = factory.reviewed()
    before = Order.objects.values().get(pk=order.pk)
    tick()
    assert Order.objects.values().get(pk=order.pk) == before


def test_an_event_that_reads_strangely_silences_no_other(factory: OrderFactory, tick: Tick) -> None:
    order = factory.draft()
    with transaction.atomic():
        record("order.commented", order, by=factory.people.drafter, changes={"mentions": [None, 7]})
        record("order.held", order, reason="No room.")
    tick()
    assert sent_subjects().keys() == {"operator"}


def test_the_task_says_what_it_did(factory: OrderFactory) -> None:
    factory.reviewed()
    assert tasks.tick() == "made 2, sent 2"
    assert tasks.tick() == "made 0"


def test_a_batch_of_events_takes_as_many_questions_as_one(
    factory: OrderFactory, django_assert_max_num_queries: Any
) -> None:
    order = factory.draft()
    with transaction.atomic():
        for _ in range(30):
            record("order.held", order, reason="No room.")
    with django_assert_max_num_queries(20):
        collect.run(timezone.now())
    assert Notice.objects.filter(kind="limit").count() == 30
