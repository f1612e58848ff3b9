"""What the tests share: practice vendors over real HTTP, a person per role, an account per vendor."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.utils import timezone

from mailops.auth import roles
from mailops.core import sql_triggers
from mailops.history import audited, audited_tables
from mailops.history.models import ALL_TRIGGERS as HISTORY_TRIGGERS
from mailops.history.models import TRACE_TRIGGERS
from orders import submission
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.drafting.intake import read
from orders.management.commands import demo
from orders.models import Attempt, Client, Order
from orders.models.constraints import TRIGGERS as ORDER_TRIGGERS
from orders.outcomes import settlement
from orders.plan import plan
from orders.sending import preflight
from orders.sending.claims import Claim
from orders.sending.results import Result
from tests import migrated
from vendors.http import Request
from vendors.models import Price, PriceVersion, Vendor
from vendors.models.exchange_rate import TRIGGERS as RATE_TRIGGERS
from vendors.models.price_version import TERMS
from vendors.models.price_version import TRIGGERS as VERSION_TRIGGERS
from vendors.practice import server
from vendors.practice.server import Practice

# How long an example took says how busy the machine was, nothing else.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

GOOGLE = demo.CMR_DOMAINS
OPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("coldmailreseller", "domains"): demo.CMR_DOMAINS,
    ("coldmailreseller", "mailboxes"): {"subscription_id": "SUB-1", "confirm": True} | demo.GOOGLE,
    ("scaledmail", "package"): {"price_id": "price_practice_google_4", "provider": "scaledmail"},
    ("woodpecker", "mailboxes"): {"provider": "GOOGLE"},
    ("smartsenders", "domains"): {"vendor_id": "9"},
}
PRODUCTS = sorted(OPTIONS)
PRICES: dict[
    str, list[dict[str, Any]]
] = {}  # of each account, as the demo types and reads them; once a process


def rows_for(api: str, *, word: str = "acme") -> str:
    """Lines that fit one order of this vendor; `word` begins the first domain's name."""
    if api == "scaledmail":
        names = [f"{word}.net", f"{word}-b.net", f"{word}-c.net", f"{word}-d.net"]
        return "\n".join(f"{name}, Dana Reyes" for name in names)
    return f"{word}.com, Dana Reyes, dana\n{word}.com, Sam Ito, sam"


SLOW = (
    "tests/browser/",
    "test_lifecycle_machine",
    "tests/faults/",
    "tests/bench/",
    "test_supervisor",
)
APART = (
    "core",
    "orders",
    "practice",
    "vendors",
)  # here a test that asks for no database touches none
SAME_ON_ALL = (  # what these hold does not depend on the database's kind, or they bring their own
    "tests/test_secrets", "tests/test_supervisor", "tests/test_upgrade", "tests/test_settings", "tests/test_docs", "tests/bench/",
    "tests/faults/test_vendors", "tests/faults/test_hostile_servers", "tests/faults/test_mutations",
    "tests/test_page_access.py::test_looking_changes_nothing",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and migrated.FOLDER not in os.environ:
        migrated.keep_for_this_run()
        config.add_cleanup(migrated.forget)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Django takes the test database that `django_db_modify_db_settings` made."""
    return django_settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    test = connection.settings_dict["TEST"]
    if connection.vendor == "sqlite":
        migrated.copy_to(Path(test["NAME"]))
    else:
        test["TEMPLATE"] = migrated.template(os.environ["DATABASE_URL"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest first, and a mark on what runs the same whatever the database."""
    items.sort(
        key=lambda item: next((n for n, slow in enumerate(SLOW) if slow in item.nodeid), len(SLOW))
    )
    for item in items:
        if item.nodeid.startswith(SAME_ON_ALL):
            item.add_marker("apart")
            continue
        asks = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
        if asks or item.get_closest_marker("django_db"):
            continue
        if item.path.relative_to(Path(__file__).parent).parts[0] in APART:
            item.add_marker("apart")


SECOND_STACK = {  # browser tests that need nothing of the others, nor the others of them
    f"tests/browser/test_{name}.py"
    for name in (
        "addresses", "confirming_twice", "drafts", "fifty_domains", "holding", "outcomes", "review", "verdicts"
    )
}  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each file in one process; the browser tests in two, in their order: those of a process share
    a stack.
    """
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            if file in SECOND_STACK:
                return "tests/browser, second stack"
            return "tests/browser" if file.startswith("tests/browser/") else file

    return Files(config, log) if config.getvalue("dist") == "loadfile" else None


_sent_files = count()


def use_a_new_last_sent_file() -> None:
    """Nothing was sent from here yet: what an earlier test sent is gone from the database."""
    name = f"sent-{os.getpid()}-{next(_sent_files)}.json"
    django_settings.LAST_SENT_FILE = django_settings.DATA_DIR / name


@pytest.fixture(autouse=True)
def last_sent_file() -> None:
    use_a_new_last_sent_file()


@pytest.fixture
def practice(tmp_path: Path, settings: Any) -> Iterator[Practice]:
    """Practice vendors on a port of their own, with empty books and instant delivery."""
    with _practising(tmp_path / "practice.sqlite3", settings) as running:
        yield running


@contextmanager
def _practising(ledger: Path, settings: Any) -> Iterator[Practice]:
    running = server.start(ledger=ledger, pace=server.Pace(delivery=0, slow=0.2, drip=0.3))
    settings.PRACTICE_URL = running.url
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Real commits instead of one rolled-back transaction; what is kept for good is emptied
    afterwards, here only.
    """
    yield
    kept = HISTORY_TRIGGERS + TRACE_TRIGGERS + VERSION_TRIGGERS + RATE_TRIGGERS + ORDER_TRIGGERS
    sql_triggers.remove(connection, [*kept, *audited_tables.everywhere()])


@pytest.fixture
def unguarded(db: None) -> None:
    """The database's own rules about orders are out of the way, for this test alone: its rollback
    restores them.
    """
    # PostgreSQL drops no trigger of a table on which a check is still to come
    connection.check_constraints()
    sql_triggers.remove(connection, ORDER_TRIGGERS)


@pytest.fixture
def people(db: None) -> SimpleNamespace:
    """One person per role, and a superuser."""
    made = SimpleNamespace()
    all_groups = {group.name: group for group in Group.objects.all()}
    belongs = []
    with audited():
        for name, groups in [*demo.PEOPLE.items(), ("both", [roles.DRAFTER, roles.CONFIRMER])]:
            setattr(made, name, User.objects.create_user(name, password=name, is_staff=True))
            for group in groups:
                belongs.append(
                    User.groups.through(user=getattr(made, name), group=all_groups[group])
                )
        User.groups.through.objects.bulk_create(belongs)
        made.boss = User.objects.create_superuser("boss", password="boss")
    return made


@pytest.fixture
def accounts(
    people: SimpleNamespace, practice: Practice, settings: Any, tmp_path: Path
) -> dict[str, Vendor]:
    """A practice account at each vendor, with prices; two clients and a contact."""
    demo.make_accounts()
    made = {vendor.api: vendor for vendor in Vendor.objects.all()}
    if not PRICES:
        with transaction.atomic(), _practising(tmp_path / "prices.sqlite3", settings):
            demo.make_prices()
            for vendor in Vendor.objects.all():
                PRICES[vendor.api] = list(vendor.prices.values("item", "source", *TERMS))
            transaction.set_rollback(True)
        settings.PRACTICE_URL = practice.url
    with audited():
        for api, vendor in made.items():
            prices = [Price(vendor=vendor, as_of=timezone.now(), **terms) for terms in PRICES[api]]
            Price.objects.bulk_create(prices)
            PriceVersion.objects.keep(vendor, prices, by="demo")
    return made


class OrderFactory:
    """Drafts, sends and confirms orders the way the pages do."""

    def __init__(self, people: SimpleNamespace, accounts: dict[str, Vendor]) -> None:
        self.people, self.accounts = people, accounts

    def draft(
        self,
        api: str = "woodpecker",
        product: str = "mailboxes",
        *,
        word: str = "acme",
        rows: str | None = None,
        by: User | None = None,
        options: dict[str, Any] | None = None,
        secrets: dict[str, str] | None = None,
    ) -> Order:
        vendor = self.accounts[api]
        rows = rows_for(api, word=word) if rows is None else rows
        options = OPTIONS[api, product] if options is None else options
        draft = self.contents(vendor, product, rows=rows, options=options, secrets=secrets)
        return drafts.create(draft, by=by or self.people.drafter)

    @staticmethod
    def contents(
        vendor: Vendor,
        product: str,
        *,
        rows: str,
        options: dict[str, Any],
        secrets: dict[str, str] | None = None,
    ) -> Draft:
        """What a drafter typed, with the client's own contact and place to forward to."""
        what = vendor.adapter.products[product]
        reading = read(rows, what)
        assert not reading.bad, reading.bad
        client = Client.objects.select_related("contact").get(name="Northwind")
        return Draft(
            vendor=vendor,
            product=product,
            client=client,
            contact=client.contact if what.needs_contact else None,
            forward_to=client.forward_to if what.forwards else "",
            options=options,
            secrets=secrets or {},
            rows=reading.rows,
        )

    def reviewed(self, *args: Any, **kwargs: Any) -> Order:
        order = self.draft(*args, **kwargs)
        return drafts.send_for_confirmation(order.pk, by=kwargs.get("by") or self.people.drafter)

    def confirm(self, order: Order, *, by: User | None = None) -> Order:
        return submission.confirm(
            order.pk, by=by or self.people.confirmer, digest=plan(fresh(order)).digest
        )

    def confirmed(self, *args: Any, **kwargs: Any) -> Order:
        return self.confirm(self.reviewed(*args, **kwargs))

    def claimed(self, *args: Any, **kwargs: Any) -> Attempt:
        """A confirmed order that a worker has just taken up."""
        order = self.confirmed(*args, **kwargs)
        if order.vendor.adapter.needs_listing_before:
            assert preflight.LISTING.read(order) is None
        attempt = claim(order.pk)
        assert attempt is not None
        return attempt

    def settle(
        self, order: Order, verdict: str, *, reason: str = "Looked there.", **kwargs: Any
    ) -> Order:
        """A confirmer's verdict on an unknown outcome."""
        return settlement.settle(
            order.pk, by=self.people.confirmer, verdict=verdict, reason=reason, **kwargs
        )

    def sent(self, *args: Any, **kwargs: Any) -> Order:
        order = self.confirmed(*args, **kwargs)
        submission.submit(order.pk)
        return fresh(order)


def claim(order_id: int) -> Attempt | None:
    """The attempt of a claim; None where the order could not be taken."""
    found = submission.claim(order_id)
    return found.attempt if isinstance(found, Claim) else None


def mark(attempt: Attempt, *, started: float | None = None) -> bool:
    """Mark a claimed attempt as about to be sent, whatever its request."""
    request = Request(method="POST", path="/", body={}).prepare("http://127.0.0.1", {})
    started = time.monotonic() if started is None else started
    return submission.mark(Claim(attempt=attempt, wait=0, started=started), request)


def send(attempt: Attempt) -> Result:
    """Steps 3 to 6 for a claimed attempt."""
    return submission.send(Claim(attempt=attempt, wait=0))


def fresh(order: Order) -> Order:
    """The order as the database has it now, nothing cached."""
    return Order.objects.select_related("vendor", "client", "contact").get(pk=order.pk)


@pytest.fixture
def factory(people: SimpleNamespace, accounts: dict[str, Vendor]) -> OrderFactory:
    return OrderFactory(people, accounts)


class Clock:
    """Moves the time that MailOps reads. Nothing waits."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def forward(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made, now = Clock(), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + made.ahead)
    return made
