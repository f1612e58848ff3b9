"""Each person's own choices: quiet hours, digest, addresses; and the pages for them."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import transaction

from mailops.core.sealed import Sealed
from mailops.history import record
from mailops.history.models import Event
from mailops.notices import apprise_channel
from mailops.notices.kinds import NOTICE_KINDS
from mailops.notices.models import Notice, NoticeSettings, SharedAddress
from tests.conftest import OrderFactory
from tests.notices.conftest import sent_subjects
from tests.orders.pages import browser, messages_of
from vendors.models import SendingSwitch

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
WAITING, UNKNOWN, DELIVERED = (
    NOTICE_KINDS["waiting"],
    NOTICE_KINDS["unknown"],
    NOTICE_KINDS["delivered"],
)


# The clock


def own(**fields: Any) -> NoticeSettings:
    return NoticeSettings(time_zone="Europe/Berlin", **fields)


NIGHT = {"quiet_from": time(22), "quiet_to": time(7)}


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-01-10T20:59", "2026-01-10T20:59"),  # 21:59 there
        ("2026-01-10T21:00", "2026-01-11T06:00"),  # 22:00 there: until 7 the next morning
        ("2026-01-11T03:00", "2026-01-11T06:00"),  # after midnight
        ("2026-01-11T06:00", "2026-01-11T06:00"),
        ("2026-03-28T22:00", "2026-03-29T05:00"),  # the night that is an hour shorter
        ("2026-10-24T21:00", "2026-10-25T06:00"),  # the night that is an hour longer
    ],
)
def test_quiet_hours_reach_over_midnight_and_over_the_change_of_clocks(now: str, due: str) -> None:
    moment, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, due))
    assert own(**NIGHT).due_at("now", WAITING, moment) == expected


def test_quiet_hours_that_end_in_the_hour_that_comes_twice_never_point_back() -> None:
    second_time = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert (
        own(quiet_from=time(1), quiet_to=time(2, 30)).due_at("now", WAITING, second_time)
        >= second_time
    )


def test_quiet_hours_by_day() -> None:
    noon = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert own(quiet_from=time(9), quiet_to=time(17)).due_at("now", WAITING, noon).hour == 17
    assert own(quiet_from=time(9), quiet_to=time(9)).due_at("now", WAITING, noon) == noon


def test_what_is_urgent_passes_quiet_hours_unless_the_person_says_no() -> None:
    night = datetime(2026, 1, 11, 3, tzinfo=UTC)
    assert own(**NIGHT).due_at("now", UNKNOWN, night) == night
    assert own(**NIGHT, urgent_passes=False).due_at("now", UNKNOWN, night).hour == 7  # there


@pytest.mark.parametrize(
    ("now", "due"),
    [("2026-03-28T12:00", "2026-03-29T06:00"), ("2026-07-01T05:00", "2026-07-01T06:00")],
)
def test_the_digest_goes_out_at_the_persons_own_hour(now: str, due: str) -> None:
    moment, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, due))
    assert own(digest_hour=8).due_at("digest", DELIVERED, moment) == expected


def test_a_digest_does_not_come_in_quiet_hours() -> None:
    noon = datetime(2026, 1, 10, 12, tzinfo=UTC)
    assert own(digest_hour=5, **NIGHT).due_at("digest", DELIVERED, noon) == datetime(
        2026, 1, 11, 6, tzinfo=UTC
    )


# Which addresses


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:8000/", "jsons://169.254.169.254/latest/meta-data/", "form://localhost/", "xml://localhost/",
        "file:///etc/passwd", "dbus://", "syslog://", "gnome://", "windows://", "macosx://", "rsyslog://localhost",
        "mailto://user:pass@example.com", "apprise://localhost/token", "mqtt://localhost/x", "ntfy://localhost/topic",
        "https://169.254.169.254/latest/", "http://localhost/", "https://hooks.slack.com.evil.example/services/T/B/X",
        "https://evil.example/hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "config://localhost/", "include file:///etc/passwd", SLACK + "?verify=no", SLACK + "#x", "slack://", "slack",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ json://localhost/", "exec://ls", "python:os",
    ],
)  # fmt: skip
def test_an_address_that_could_reach_anything_else_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        apprise_channel.check(address)


@pytest.mark.parametrize(
    ("address", "service"),
    [
        (SLACK, "Slack"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "Discord"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "Telegram"),
        ("pover://" + "u" * 30 + "@" + "a" * 30, "Pushover"),
    ],
)
def test_well_known_services_may_be_used(address: str, service: str) -> None:
    assert apprise_channel.check(address) == service


def test_every_allowed_service_has_one_https_host_of_its_own() -> None:
    import apprise

    for scheme in apprise_channel.KNOWN:
        plugin = apprise.manager_plugins.NotificationManager()[scheme]
        assert plugin is not None and plugin.secure_protocol, scheme
        assert not any(
            part in token for token in plugin.templates for part in ("{host}", "{hostname}")
        ), scheme


# A service of the tests' own


@pytest.fixture
def service(settings: Any) -> Iterator[Any]:
    """A local web server that stands for a service; `status` is what it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.got.append(json.loads(body))  # type: ignore[attr-defined]
            self.send_response(self.server.status)  # type: ignore[attr-defined]
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.status = [], 200
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.NOTICE_SCHEMES = ["json"]
    server.address = f"json://user:TOKENSENTINEL@127.0.0.1:{server.server_address[1]}/"
    yield server
    server.shutdown()
    server.server_close()


def sealed(address: str) -> str:
    return str(Sealed("").put({"address": address}))


def stop_sending(factory: OrderFactory) -> None:
    with transaction.atomic():
        record("sending.held", SendingSwitch.current(), by=factory.people.operator, reason="Look.")


def test_urgent_notices_go_to_shared_addresses_too(
    factory: OrderFactory, tick: Callable[[], None], service: Any
) -> None:
    SharedAddress.objects.create(name="On call", sealed=sealed(service.address), service="json")
    SharedAddress.objects.create(
        name="Off", sealed=sealed(service.address), service="json", is_on=False
    )
    stop_sending(factory)
    factory.reviewed()
    tick()
    assert sent_subjects("stopped").keys() == {"boss", "On call"}
    assert [got["title"] for got in service.got] == ["MailOps: All sending is held"]
    assert "an Operator entered this address" in service.got[0]["message"]


def test_a_service_that_fails_is_tried_again_and_its_token_is_nowhere(
    factory: OrderFactory, tick: Callable[[], None], service: Any, caplog: Any, capfd: Any
) -> None:
    for name in [None, *logging.root.manager.loggerDict]:
        caplog.set_level(logging.DEBUG, name)
    choices = {"waiting": ["now", "both"]}
    person = factory.people.confirmer
    NoticeSettings.objects.create(
        user=person, choices=choices, sealed=sealed(service.address), service="json"
    )
    service.status = 500
    factory.reviewed()
    tick()
    waits = Notice.objects.get(user=person, channel="address")
    assert (waits.tries, waits.sent_at) == (1, None)
    assert waits.why.startswith("json can't be reached or did not take the message.")
    assert sent_subjects("waiting").keys() == {"confirmer", "both"}  # by e-mail
    page = browser(person).get("/my/notices/").content.decode()
    rows = repr(list(Notice.objects.values())) + repr(list(Event.objects.values()))
    everything = caplog.text + "".join(capfd.readouterr()) + page + rows
    assert "TOKENSENTINEL" not in everything


# The page


def typed(person: Any, **changed: Any) -> dict[str, Any]:
    """The form as it stands, with these fields changed."""
    form = browser(person).get("/my/notices/").context["form"]
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in (shown | changed).items() if value not in (None, False)}


def save(person: Any, **changed: Any) -> Any:
    return browser(person).post("/my/notices/", typed(person, **changed), follow=True)


def test_a_person_chooses_and_the_history_has_it_without_the_address(factory: OrderFactory) -> None:
    person = factory.people.confirmer
    changed = {
        "waiting-when": "digest",
        "unknown-by": "both",
        "address": SLACK,
        "quiet_from": "22:00",
        "quiet_to": "07:00",
    }
    response = save(person, **changed, time_zone="Europe/Berlin")
    assert "Saved." in messages_of(response)
    kept = NoticeSettings.objects.get(user=person)
    assert kept.choices["waiting"] == ["digest", "email"] and kept.choices["unknown"] == [
        "now",
        "both",
    ]
    assert (kept.service, kept.quiet_from, kept.time_zone) == ("Slack", time(22), "Europe/Berlin")
    event = Event.objects.get(action="notices.chosen")
    assert (event.who, event.changes["waiting-when"]) == ("confirmer", ["now", "digest"])
    page = response.content.decode()
    for text in (page, repr(list(Event.objects.values())), repr(kept.__dict__)):
        assert "TIiajkdnlazkcOXrIdevi7FQ" not in text
    assert "Stored and sealed: Slack." in page
    save(person)
    assert NoticeSettings.objects.get(user=person).sealed == kept.sealed  # an empty field keeps it


def test_the_page_shows_only_what_concerns_the_person(factory: OrderFactory) -> None:
    form = browser(factory.people.drafter).get("/my/notices/").context["form"]
    names = [kind.name for kind in form.kinds]
    assert names == ["back", "refused", "delivered", "overdue", "mention"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"address": "json://127.0.0.1/"},
            "This is not an address of a service that MailOps may use",
        ),
        ({"waiting-by": "address"}, "Enter another address below first."),
        ({"quiet_from": "22:00"}, "Enter both times, or none"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"waiting-when": "always"}, "Select a valid choice"),
    ],
)
def test_what_can_not_work_is_said_and_nothing_is_saved(
    factory: OrderFactory, changed: dict[str, str], said: str
) -> None:
    response = save(factory.people.confirmer, **changed)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not NoticeSettings.objects.exists()


def test_a_test_goes_to_every_own_address_a_few_times_an_hour(
    factory: OrderFactory, service: Any
) -> None:
    person = factory.people.confirmer
    NoticeSettings.objects.create(user=person, sealed=sealed(service.address), service="json")
    response = browser(person).post("/my/notices/test/", follow=True)
    assert messages_of(response).count("A test went to") == 2
    assert [got["title"] for got in service.got] == [mail.outbox[0].subject] == ["MailOps: a test"]
    for _ in range(6):
        browser(person).post("/my/notices/test/")
    response = browser(person).post("/my/notices/test/", follow=True)
    assert "many tests" in messages_of(response)
    assert len(service.got) == 6


def test_a_test_that_fails_says_so(factory: OrderFactory, service: Any) -> None:
    service.status = 403
    NoticeSettings.objects.create(
        user=factory.people.confirmer, sealed=sealed(service.address), service="json"
    )
    response = browser(factory.people.confirmer).post("/my/notices/test/", follow=True)
    assert "The test to json did not go out." in messages_of(response)


def test_the_other_address_can_be_taken_out(factory: OrderFactory) -> None:
    person = factory.people.confirmer
    NoticeSettings.objects.create(
        user=person, sealed=sealed(SLACK), service="Slack", choices={"waiting": ["now", "address"]}
    )
    browser(person).post("/my/notices/forget/")
    kept = NoticeSettings.objects.get(user=person)
    assert (kept.sealed, kept.choices) == ("", {"waiting": ["now", "email"]})


def test_the_page_says_what_could_not_be_delivered(
    factory: OrderFactory, tick: Callable[[], None]
) -> None:
    factory.reviewed()
    tick()
    Notice.objects.update(
        sent_at=None, ended_at=datetime.now(UTC), gave_up=True, why="The mail server refuses it."
    )
    page = browser(factory.people.confirmer).get("/my/notices/").content.decode()
    assert "1 notice could not be delivered to you: The mail server refuses it." in page


def test_an_operator_enters_a_shared_address_that_nobody_sees_again(
    factory: OrderFactory, service: Any
) -> None:
    operator = browser(factory.people.operator)
    form = {"name": "On call", "address": service.address, "is_on": "on"}
    assert operator.post("/notices/sharedaddress/add/", form).status_code == 302
    shared = SharedAddress.objects.get()
    page = f"/notices/sharedaddress/{shared.pk}/change/"
    assert Sealed(shared.sealed).open() == {"address": service.address}
    for person in (factory.people.operator, factory.people.auditor, factory.people.boss):
        assert "TOKENSENTINEL" not in browser(person).get(page).content.decode()
    assert "TOKENSENTINEL" not in repr(list(Event.objects.values()))
    operator.post(page, {"name": "Pager", "address": "", "is_on": "on"})
    assert SharedAddress.objects.get().sealed == shared.sealed
    assert (
        operator.post(
            "/notices/sharedaddress/add/", {"name": "x", "address": "file:///x"}
        ).status_code
        == 200
    )
    operator.post(f"/notices/sharedaddress/{shared.pk}/test/")
    assert [got["title"] for got in service.got] == ["MailOps: a test"]
