"""No key and no password ends up in a table, a log or a page, whatever goes wrong and whatever a
vendor sends back.
"""

from __future__ import annotations

import base64
import json
import logging
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history import audited
from orders import submission
from orders.availability import lookup
from orders.models import Asking, Order, State
from orders.models.attempt import Stage
from orders.outcomes import evidence_lookup
from orders.sending import preflight
from tests.conftest import OPTIONS, PRODUCTS, OrderFactory, fresh
from tests.orders.pages import browser
from tests.vendors.raw import Act, RawServer, Visit
from vendors.models import Vendor
from vendors.practice.server import Practice

# A word that stays readable in every spelling, between signs that JSON, addresses and web pages
# spell differently.
KEY_WORD, PASSWORD_WORD = "KEYSENTINEL", "PWSENTINEL"
KEY = f"practice-{KEY_WORD}+/=\"\\&'<%41>~ z"
PASSWORD = f"{PASSWORD_WORD} \"ä/\\€&<🙂>'"
HOSTING = OPTIONS["scaledmail", "package"] | {
    "provider": "other", "hosting_provider": "Porkbun", "hosting_username": "me", "sequencer_provider": "Instantly",
    "sequencer_username": "me",
}  # fmt: skip
PASSWORDS = {"hosting_password": PASSWORD, "sequencer_password": f"{PASSWORD}2"}


@pytest.fixture
def keys(factory: OrderFactory) -> None:
    """Every account's key holds the word."""
    for vendor in Vendor.objects.all():
        vendor.sealed = str(vendor.secrets.put({"api_key": KEY}))
        vendor.save()
    factory.accounts.update({vendor.api: vendor for vendor in Vendor.objects.all()})


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that any logger says, every one of them at its most talkative."""
    names = [None, *logging.root.manager.loggerDict]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    caplog.handler.setLevel(logging.DEBUG)
    caplog.handler.setFormatter(
        logging.Formatter("%(name)s %(message)s")
    )  # with tracebacks, where there are any
    yield lambda: caplog.text
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def vendor(settings: Any) -> Iterator[Callable[[Act], RawServer]]:
    """Puts a server of the test's own in the place of all vendors."""
    running: list[RawServer] = []

    def start(act: Act) -> RawServer:
        running.append(RawServer(act))
        settings.PRACTICE_URL = running[-1].url
        return running[-1]

    yield start
    for server in running:
        server.stop()


def sent_without_a_look(factory: OrderFactory, api: str, product: str, **kwargs: Any) -> Order:
    """Sent to a vendor that has no list to look at first, as if somebody had just looked."""
    order = factory.confirmed(api, product, **kwargs)
    Order.objects.filter(pk=order.pk).update(looked_at=timezone.now())
    submission.submit(order.pk)
    return fresh(order)


def tables() -> Iterator[tuple[str, str]]:
    """Every value of every column of every table as text, in plain and unpacked where it is packed."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    yield f"{table}.{column}", str(value)
                    yield f"{table}.{column} unpacked", unpacked(str(value))
    for task in OrmQ.objects.all():
        yield "django_q_ormq.payload unpacked", repr(task.task)
    for session in Session.objects.all():
        yield "django_session.session_data unpacked", repr(session.get_decoded())


def unpacked(text: str) -> str:
    try:
        # with or without its padding, and with a signature behind it
        packed = text.partition(":")[0].rstrip("=")
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return ""
    try:
        return repr(pickle.loads(raw))
    except Exception:
        return raw.decode("latin-1")


def leaks(text: str) -> list[str]:
    return [word for word in (KEY_WORD, PASSWORD_WORD) if word in text]


def assert_nothing_leaked(
    factory: OrderFactory, logs: Callable[[], str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert {place for place, text in tables() if leaks(text)} == set()
    for person in (factory.people.boss, factory.people.auditor):
        window = browser(person)
        for page in pages():
            shown = window.get(page, follow=True).content.decode()
            assert not leaks(shown), page
    out, err = capfd.readouterr()
    for text in (logs(), out, err):
        assert not leaks(text), [line for line in text.splitlines() if leaks(line)]


def pages() -> Iterator[str]:
    yield from (
        "/",
        "/orders/order/",
        "/history/event/",
        "/vendors/vendor/",
        "/orders/domain/",
        "/orders/mailbox/",
    )
    for order in Order.objects.all():
        for door in ("change", "edit", "confirm", "check", "history"):
            yield f"/orders/order/{order.pk}/{door}/"
    for account in Vendor.objects.filter(orders__isnull=False).distinct():
        yield f"/vendors/vendor/{account.pk}/change/"


# The test itself


def test_the_search_finds_a_secret_wherever_it_lies(factory: OrderFactory, keys: None) -> None:
    from django.core.cache import cache

    order = factory.draft()
    order.note = f"call {KEY}"
    with audited():
        order.save()
    cache.set("x", {"password": PASSWORD})
    browser(factory.people.drafter).get("/")
    session = Session.objects.get()
    session.session_data = Session.objects.encode(session.get_decoded() | {"key": KEY})
    session.save()
    found = {place for place, text in tables() if leaks(text)}
    assert found == {
        "orders_order.note",
        "mailops_cache.value unpacked",
        "django_session.session_data unpacked",
    }


def test_the_vendors_really_receive_the_secrets(
    factory: OrderFactory, keys: None, vendor: Callable[[Act], RawServer]
) -> None:  # fmt: skip

    def act(visit: Visit) -> None:
        visit.read()
        visit.answer(b"{}")

    server = vendor(act)
    order = factory.sent("scaledmail", "package", options=HOSTING, secrets=PASSWORDS)
    assert order.state == State.ACCEPTED
    (visit,) = server.visits
    assert visit.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(visit.body)["hosting"]["password"] == PASSWORD
    assert json.loads(visit.body)["sequencer"]["password"] == f"{PASSWORD}2"


# Whatever the vendor does


@pytest.mark.parametrize(
    "word", ["acme", "bad-key", "cut-after", "error-after", "rubbish", "timeout-before", "busy"]
)
@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_nothing_leaks_whatever_happens_to_an_order(
    factory: OrderFactory,
    keys: None,
    logs: Any,
    capfd: Any,
    practice: Practice,
    api: str,
    product: str,
    word: str,
) -> None:
    secrets = PASSWORDS if api == "scaledmail" else {}
    options = HOSTING if api == "scaledmail" else None
    order = factory.sent(api, product, word=word, options=options, secrets=secrets)
    for attempt in order.attempts.all():
        evidence_lookup.look(attempt, by=factory.people.confirmer)
    operator = browser(factory.people.operator)
    for door in ("test", "fetch"):
        operator.post(f"/vendors/vendor/{order.vendor_id}/{door}/")
    assert_nothing_leaked(factory, logs, capfd)
    entries = [*practice.ledger.charges(), *practice.ledger.requests()]
    assert not leaks(" ".join(map(repr, entries)))


def spelled(text: str) -> dict[str, Any]:
    """The documented shapes of all vendors' errors at once, each with this text in it."""
    return {
        "status": 422, "type": "error", "code": "invalid", "message": text, "error": text, "title": text,
        "details": text, "fields": [{"field": "mailboxes[0].email", "issue": text}], "data": None,
    }  # fmt: skip


def parrot(status: str) -> Act:
    """A vendor that sends back all it was told: in its headers, in its own JSON, and as text inside
    of that.
    """

    def act(visit: Visit) -> None:
        request = visit.read().decode("utf-8", "replace")
        target = request.split(" ")[1]
        told = [target, request]
        with_data = spelled(" ".join(told)) | {
            "received": json.loads(visit.body or b"{}"),
            "headers": visit.headers,
        }
        body = json.dumps(with_data | {"status": int(status[:3])})
        body += "\n" if status.startswith("2") else ""
        echo = "".join(f"X-Echo-{n}: {value}\r\n" for n, value in enumerate(visit.headers.values()))
        visit.answer(body.encode(), status=status, headers=f"Location: {target}\r\n{echo}")

    return act


def page_parrot(visit: Visit) -> None:
    """A vendor whose error page shows the request, as web frameworks do when somebody left their
    debugging on.
    """
    from html import escape

    text = visit.read().decode("utf-8", "replace")
    php = json.dumps(json.loads(visit.body or b"{}")).replace("/", "\\/")
    body = f"<pre>{escape(text)}</pre><script>{php}</script>"
    visit.answer(body.encode(), status="500 Oh", headers="Content-Type: text/html\r\n")


@pytest.mark.parametrize(
    "act", [parrot("422 No"), parrot("400 No"), parrot("200 OK"), parrot("307 Go"), page_parrot]
)
@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_a_vendor_that_repeats_our_secrets_gives_nothing_away(
    factory: OrderFactory,
    keys: None,
    logs: Any,
    capfd: Any,
    vendor: Any,
    api: str,
    product: str,
    act: Act,
) -> None:
    server = vendor(act)
    secrets = PASSWORDS if api == "scaledmail" else {}
    order = sent_without_a_look(
        factory, api, product, options=HOSTING if secrets else None, secrets=secrets
    )
    assert any(leaks(visit.request.decode("utf-8", "replace")) for visit in server.visits)
    assert "kept secret" in order.attempts.get().reply_body
    evidence_lookup.look(order.attempts.get(), by=factory.people.confirmer)
    preflight.LISTING.read(factory.confirmed(api, product, word="looked-for"))
    for door in ("test", "fetch"):
        browser(factory.people.operator).post(f"/vendors/vendor/{order.vendor_id}/{door}/")
    assert_nothing_leaked(factory, logs, capfd)


@pytest.mark.parametrize("act", [parrot("400 No"), parrot("200 OK"), page_parrot])
@pytest.mark.parametrize("api", ["scaledmail", "smartsenders", "woodpecker"])
def test_a_vendor_that_repeats_our_key_when_asked_for_names_gives_nothing_away(
    factory: OrderFactory, keys: None, logs: Any, capfd: Any, vendor: Any, api: str, act: Act
) -> None:
    [product] = factory.accounts[api].adapter.products
    order, server = factory.draft(api, product), vendor(act)
    lookup.begin(order.pk, by=factory.people.drafter)
    browser(factory.people.drafter).post(
        f"/orders/order/{order.pk}/suggest/", {"name": order.contents[0].name}
    )
    assert any(leaks(visit.request.decode("utf-8", "replace")) for visit in server.visits)
    assert Asking.objects.get().ended_at
    assert_nothing_leaked(factory, logs, capfd)


def test_headers_that_cannot_be_read_do_not_bring_the_address_into_the_log(
    factory: OrderFactory, keys: None, logs: Any, capfd: Any, vendor: Any
) -> None:
    """One vendor takes its key in the address."""

    def act(visit: Visit) -> None:
        visit.read()
        visit.send(b"HTTP/1.1 200 OK\r\nthis line is no header\r\nContent-Length: 2\r\n\r\n{}")

    server = vendor(act)
    sent_without_a_look(factory, "smartsenders", "domains")
    assert leaks(server.visits[0].request.decode())
    assert_nothing_leaked(factory, logs, capfd)


@pytest.mark.parametrize(
    ("words", "state", "is_kept_as"),
    [
        (rb"No \u0000 funds", State.REFUSED, "No funds"),
        # half a character is no plain English
        (rb"No \ud800 funds", State.UNKNOWN, r"No \ud800 funds"),
    ],
)
def test_a_word_that_no_database_can_hold_does_not_lose_the_answer(
    factory: OrderFactory, vendor: Any, words: bytes, state: str, is_kept_as: str
) -> None:
    def act(visit: Visit) -> None:
        visit.read()
        body = (
            b'{"type": "validation_error", "code": "invalid_fields", "message": "%b", "fields": []}'
            % words
        )
        visit.answer(body, status="422 No")

    vendor(act)
    order = sent_without_a_look(factory, "woodpecker", "mailboxes")
    assert order.state == state
    kept = (
        order.attempts.get().reply_body
        if state == State.UNKNOWN
        else order.problems[0]["vendor_says"]
    )
    assert is_kept_as in kept


# Without a key


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_an_account_without_a_key_sends_nothing_and_a_person_is_told(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    Vendor.objects.update(sealed="")
    factory.accounts[api].refresh_from_db()
    order = factory.confirmed(api, product)
    assert submission.submit(order.pk) == "held back"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert {attempt.stage for attempt in order.attempts.all()} <= {Stage.NOT_SENT}
    assert "An Operator has to enter it again" in order.reason
    assert practice.ledger.requests() == []


def test_a_password_that_cannot_be_opened_sends_nothing(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    order = factory.confirmed("scaledmail", "package", options=HOSTING, secrets=PASSWORDS)
    settings.SEAL_KEYS = [Fernet.generate_key().decode()]
    assert submission.submit(order.pk) == "held back"
    assert fresh(order).state == State.REVIEW
    assert practice.ledger.requests() == []
