"""What reaches the tables past MailOps leaves a trace that the history tells; what MailOps does
leaves none.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.db.models.signals import pre_migrate
from django.test import Client as Browser
from django.utils import timezone

from mailops.auth.models import Authenticator, RecoveryCode
from mailops.core import sql_triggers
from mailops.core.sql_triggers import HIDDEN
from mailops.history import audited, audited_tables, record, untracked_changes
from mailops.history.models import ALL_TRIGGERS as HISTORY_TRIGGERS
from mailops.history.models import TRACE_TRIGGERS, Archive, Event, Telling, Trace
from mailops.history.shell import as_person
from mailops.history.verify import verify
from mailops.notices.models import NoticeSettings, SharedAddress
from mailops.ops.diagnostics import findings
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from mailops.proposals.policies import Wanted
from orders import submission
from orders.models import (
    Attempt,
    Client,
    Confirmation,
    ConfirmationRule,
    Delegation,
    Domain,
    Editor,
    Finding,
    Mailbox,
    Match,
    NeverBuy,
)
from orders.outcomes import settlement, sweeper
from orders.plan import plan
from tests.conftest import OrderFactory, fresh
from vendors.models import Contact, Price, PriceVersion, Rate, SendingSwitch, Vendor

RULES = {rule.table: rule for rule in audited_tables.everywhere()}

# Each of the project's models leaves traces, or stands here with the reason why not.
NONE_NEEDED = {
    "history.event": "the database refuses edits, and the chain shows an insertion",
    "history.trace": "the database refuses edits; it is the trace",
    "history.telling": (
        "the mark itself: empty outside of a transaction, and `manage.py health` says where it"
        " is not"
    ),
    "history.digest": "the database refuses edits; what it says is kept elsewhere too",
    "history.archive": "the database refuses edits",
    "history.verification": (
        "how the last looks at the history ended: only a short cut, never believed by a whole one"
    ),
    "axes.accessattempt": (
        "what slows guessing down: the history tells of failed sign-ins and lock-outs"
    ),
    "axes.accessfailurelog": "not written: the history tells of failed sign-ins",
    "axes.accesslog": "not written: the history tells of sign-ins",
    "axes.accessattemptexpiration": "when a lock-out ends",
    "notices.noticecursor": "how far the history was read for notices",
    "notices.wait": "which reminders are due: worked out from the history",
    "notices.notice": "what was sent to whom: worked out from the history",
    "orders.look": "what somebody saw: a mark of reading",
    "orders.mention": "who is yet to read a comment: the comment is an event",
    "orders.scratch": (
        "what somebody typed and has not saved: private, and nothing is ordered by it"
    ),
    "orders.upload": "which files were read: the order's own event names them",
    "orders.asking": "how far a question to a vendor has come: told once it is over",
    "orders.availability": "a vendor's newest word on a name: asked anew at will, and no promise",
    "admin.logentry": "Django's own log: nothing writes it here, the history takes its place",
    "sessions.session": (
        "signed with a key that the database does not hold; signing in and out is told"
    ),
    "django_q.ormq": "a task is a doorbell: the order's row decides",
    "django_q.task": "what the queue did; nothing is decided by it",
}


def models_of_the_project() -> dict[str, type[models.Model]]:
    found = apps.get_models(include_auto_created=True)
    return {model._meta.label_lower: model for model in found if not model._meta.proxy}


def test_every_model_leaves_traces_or_says_why_not() -> None:
    missing = {
        label
        for label, model in models_of_the_project().items()
        if model._meta.db_table not in RULES and label not in NONE_NEEDED
    }
    assert missing == set(), (
        "add it to its app's audited_…_tables.py, or to NONE_NEEDED with the reason"
    )


def test_no_model_is_listed_in_vain() -> None:
    found = models_of_the_project()
    assert NONE_NEEDED.keys() <= found.keys()
    assert RULES.keys() <= {
        model._meta.db_table for label, model in found.items() if label not in NONE_NEEDED
    }


def test_every_secret_column_is_declared() -> None:
    tables = {model._meta.db_table: model for model in models_of_the_project().values()}
    for table, rule in RULES.items():
        columns = {field.column for field in tables[table]._meta.concrete_fields}
        assert {
            c
            for c in columns
            if any(word in c for word in ("sealed", "password", "secret", "hash"))
        } == set(rule.secret)
        assert {*rule.secret, *rule.quiet} <= columns


def test_all_triggers_stand(db: None) -> None:
    assert sql_triggers.missing(connection, [*TRACE_TRIGGERS, *RULES.values()]) == []


# By raw SQL


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def somebody() -> str:
    user = connection.settings_dict["USER"]
    return (
        f"database user {user}" if connection.vendor == "postgresql" else "somebody outside MailOps"
    )


def now_told() -> list[Event]:
    """Fold what is there; the new events."""
    before = Event.objects.count()
    untracked_changes.tell()
    return list(Event.objects.order_by("number")[before:])


@pytest.fixture
def rows(factory: OrderFactory, unguarded: None) -> dict[str, tuple[models.Model, str]]:
    """A row of each audited_tables table, and a column that raw SQL may change in it."""
    order = factory.claimed().order
    with audited():
        user = User.objects.get(username="drafter")
        user.user_permissions.set([apps.get_model("auth.Permission").objects.all()[0]])
        never = NeverBuy.objects.create(pattern="acme", reason="The client's")
        SendingSwitch(pk=1).save()
        rate = Rate.objects.create(currency="USD", to="EUR", rate=1, typed_by_name="jo")
        rule = ConfirmationRule.objects.create()
        until = timezone.now() + timedelta(days=1)
        passed_on = Delegation.objects.create(
            from_user=user, to_user=factory.people.both, ends_at=until
        )
        match = Match.objects.create(
            vendor=order.vendor, begins_on=until, ends_on=until, compared=0, agreed=0, lines=0
        )
        finding = Finding.objects.create(match=match, vendor=order.vendor, key="a", kind="not_ours")
        wanted = Wanted(values={"order_limit": "3000.00"}, reasons={"order_limit": "More."})
        proposal = workflow.propose(
            order.vendor, wanted, by=factory.people.operator, why="A large order."
        )
        factor = Authenticator.objects.create(user=user, name="App", sealed="gAAAA-factor")
        code = RecoveryCode.objects.create(user=user, hash="0" * 64)
        choices = NoticeSettings.objects.create(user=user, sealed="gAAAA-notices")
        shared = SharedAddress.objects.create(name="On call", sealed="gAAAA-shared")
    schedule = apps.get_model("django_q.Schedule").objects.get(name="Sweep")
    first = {
        "auth_user": (user, "first_name"),
        "auth_group": (Group.objects.all()[0], "name"),
        "auth_permission": (apps.get_model("auth.Permission").objects.all()[0], "name"),
        "auth_user_groups": (User.groups.through.objects.all()[0], ""),
        "auth_user_user_permissions": (User.user_permissions.through.objects.all()[0], ""),
        "auth_group_permissions": (Group.permissions.through.objects.all()[0], ""),
        "django_content_type": (
            apps.get_model("contenttypes.ContentType").objects.all()[0],
            "model",
        ),
        "django_q_schedule": (schedule, "func"),
        "vendors_vendor": (Vendor.objects.all()[0], "name"),
        "vendors_price": (Price.objects.all()[0], "label"),
        "vendors_priceversion": (PriceVersion.objects.all()[0], ""),
        "vendors_contact": (Contact.objects.all()[0], "city"),
        "vendors_rate": (rate, ""),
        "vendors_sendingswitch": (SendingSwitch.objects.get(), "stopped_reason"),
        "orders_order": (order, "note"),
        "orders_domain": (Domain.objects.all()[0], "forward_to"),
        "orders_mailbox": (Mailbox.objects.all()[0], "first_name"),
        "orders_attempt": (Attempt.objects.all()[0], "why"),
        "orders_client": (Client.objects.all()[0], "note"),
        "orders_editor": (Editor.objects.all()[0], "name"),
        "orders_neverbuy": (never, "reason"),
        "orders_confirmation": (Confirmation.objects.all()[0], "for_name"),
        "orders_confirmationrule": (rule, "note"),
        "orders_delegation": (passed_on, "reason"),
        "orders_match": (match, "file_name"),
        "orders_finding": (finding, "reason"),
        "proposals_proposal": (proposal, "subject"),
        "doors_authenticator": (factor, "name"),
        "doors_recoverycode": (code, ""),
        "notices_noticesettings": (choices, "service"),
        "notices_sharedaddress": (shared, "service"),
    }
    assert not Trace.objects.exists()
    return first


def test_a_change_by_raw_sql_is_told_with_before_and_after(
    rows: dict[str, tuple[models.Model, str]],
) -> None:
    assert rows.keys() == RULES.keys()
    for table, (row, column) in rows.items():
        if not column:
            continue
        before = getattr(row, column)
        sql(f"UPDATE {table} SET {column} = 'forged' WHERE id = %s", row.pk)
        (event,) = now_told()
        assert (event.action, event.subject_type) == (
            "outside.changed",
            row._meta.label_lower,
        ), table
        assert (event.subject_id, event.changes) == (
            str(row.pk),
            {column: [before, "forged"]},
        ), table
        assert event.user_id is None
        assert event.who == somebody()
        assert "not by MailOps" in event.reason
    assert now_told() == []
    assert verify().is_unbroken


def test_a_deletion_and_an_insertion_by_raw_sql_are_told(
    rows: dict[str, tuple[models.Model, str]],
) -> None:
    for table, (row, _) in rows.items():
        if table in (
            "vendors_priceversion",
            "vendors_rate",
        ):  # the database refuses to delete these
            continue
        generated = [field for field in row._meta.concrete_fields if field.generated]
        columns = ", ".join(
            f'"{field.column}"' for field in row._meta.concrete_fields if field not in generated
        )
        before = transaction.savepoint()
        sql(f"CREATE TEMPORARY TABLE aside AS SELECT * FROM {table} WHERE id = %s", row.pk)
        sql(f"DELETE FROM {table} WHERE id = %s", row.pk)
        sql(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM aside")
        gone, *come = now_told()
        assert len(come) == ("INSERT" in RULES[table].events), table
        for event in (gone, *come):
            assert (event.subject_type, event.subject_id) == (
                row._meta.label_lower,
                str(row.pk),
            ), table
        assert all(pair[1] is None for pair in gone.changes.values()), table
        assert all(pair[0] is None for event in come for pair in event.changes.values()), table
        for secret in RULES[table].secret:
            assert gone.changes[secret] == [HIDDEN, None], table
            assert not getattr(row, secret) or getattr(row, secret) not in json.dumps(
                [e.changes for e in come]
            )
        transaction.savepoint_rollback(before)


def test_an_insertion_where_nothing_may_be_deleted_is_told(
    rows: dict[str, tuple[models.Model, str]],
) -> None:
    sql("INSERT INTO vendors_rate (currency, \"to\", rate, typed_by_name, typed_at) SELECT currency, \"to\", 9,"
        " 'mallory', typed_at FROM vendors_rate")  # fmt: skip
    (event,) = now_told()
    assert (event.subject_type, event.changes["typed_by_name"]) == (
        "vendors.rate",
        [None, "mallory"],
    )


def test_a_secret_is_changed_and_not_shown(rows: dict[str, tuple[models.Model, str]]) -> None:
    sql("UPDATE auth_user SET password = 'md5$salt$stolen'")
    sql("UPDATE vendors_vendor SET sealed = 'gAAAA-forged'")
    events = now_told()
    assert {tuple(event.changes) for event in events} == {("password",), ("sealed",)}
    assert {str(pair) for event in events for pair in event.changes.values()} == {
        str([HIDDEN, HIDDEN])
    }
    kept = json.dumps([*Trace.objects.values("before", "after")])
    assert "stolen" not in kept
    assert "forged" not in kept


def test_a_role_given_by_raw_sql_is_told_with_names(
    rows: dict[str, tuple[models.Model, str]],
) -> None:
    user, role = User.objects.get(username="drafter"), Group.objects.get(name="Confirmer")
    sql("INSERT INTO auth_user_groups (user_id, group_id) VALUES (%s, %s)", user.pk, role.pk)
    (event,) = now_told()
    assert event.changes["user_id"] == [None, f"{user.pk} (drafter)"]
    assert event.changes["group_id"] == [None, f"{role.pk} (Confirmer)"]


def test_an_update_that_changes_nothing_and_bookkeeping_leave_none(
    rows: dict[str, tuple[models.Model, str]],
) -> None:
    sql("UPDATE orders_order SET note = note")
    sql("UPDATE orders_order SET rung_at = NULL, progress_at = NULL")
    assert not Trace.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE")
def test_an_emptied_table_is_told(rows: dict[str, tuple[models.Model, str]]) -> None:
    sql("TRUNCATE orders_neverbuy")
    (event,) = now_told()
    assert (event.subject_type, event.subject, event.subject_id) == (
        "orders.neverbuy",
        "table orders_neverbuy",
        "",
    )


# Traces themselves


@pytest.fixture
def trace(people: Any) -> Trace:
    sql("UPDATE auth_user SET first_name = 'Mallory' WHERE username = 'drafter'")
    return Trace.objects.get()


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM history_trace",
        "UPDATE history_trace SET row_key = '0'",
        "UPDATE history_trace SET told = 7, after = NULL",
        "UPDATE history_trace SET told = 7, at = '2020-01-01 00:00:00'",
        "UPDATE history_trace SET told = NULL",
    ],
)
def test_the_database_refuses_edits_of_traces(trace: Trace, attack: str) -> None:
    with pytest.raises(DatabaseError, match="Traces are kept"), transaction.atomic():
        sql(attack)


def test_a_trace_is_told_once(trace: Trace) -> None:
    untracked_changes.tell()
    with pytest.raises(DatabaseError, match="Traces are kept"), transaction.atomic():
        sql("UPDATE history_trace SET told = 8")
    assert untracked_changes.tell() == 0


@pytest.mark.parametrize("which", ["none", "of another row", "of something else"])
def test_the_database_refuses_a_mark_without_an_event_that_tells(
    trace: Trace, people: Any, which: str
) -> None:
    with audited():
        other = record("outside.changed", people.confirmer) if which == "of another row" else None
        named = other or record("user.changed", people.drafter)
    with pytest.raises(DatabaseError, match="event of their own"), transaction.atomic():
        sql("UPDATE history_trace SET told = %s", 99 if which == "none" else named.number)
    assert untracked_changes.tell() == 1


def hidden() -> list[str]:
    return [
        found.text
        for found in findings()
        if found.is_problem and "as told in the history" in found.text
    ]


@pytest.mark.parametrize("by", ["a number", "another trace's event"])
def test_health_names_a_trace_that_was_marked_by_hand(trace: Trace, by: str) -> None:
    untracked_changes.tell()
    with as_person("operator", reason="Why not"):
        rename("told")
    assert hidden() == []
    rename("hidden")
    sql_triggers.remove(connection, TRACE_TRIGGERS)
    told = Trace.objects.get(pk=trace.pk).told
    sql("UPDATE history_trace SET told = %s WHERE told IS NULL", told if by != "a number" else 999)
    sql_triggers.install(connection, TRACE_TRIGGERS)
    assert hidden()[0].startswith("1 change from outside MailOps reads as told")


def test_a_trace_whose_event_was_archived_is_no_alarm(trace: Trace) -> None:
    untracked_changes.tell()
    end = Event.objects.latest("number").number
    Archive.objects.create(first=1, last=end, last_hash="x", file="x", sha256="0" * 64)
    sql_triggers.remove(connection, HISTORY_TRIGGERS)
    Event.objects.all().delete()
    assert hidden() == []
    rename("hidden")
    sql_triggers.remove(connection, TRACE_TRIGGERS)
    sql("UPDATE history_trace SET told = %s WHERE told IS NULL", end - 1)
    assert len(hidden()) == 1


def test_the_sweep_tells(trace: Trace) -> None:
    assert sweeper.run()["outside"] == 1
    trace.refresh_from_db()
    assert Event.objects.get(action="outside.changed").number == trace.told


def test_today_the_history_and_health_say_so(trace: Trace, people: Any) -> None:
    auditor = browser(people.auditor)
    said = "Something was changed outside MailOps."
    assert said in auditor.get("/").content.decode()
    untracked_changes.tell()
    for page in ("/", "/history/event/"):
        shown = " ".join(auditor.get(page).content.decode().split())
        assert said in shown
        assert "1 row was changed in the database itself" in shown
    assert next(f.text for f in findings() if "outside MailOps" in f.text).startswith(
        "Rows were changed outside"
    )


def test_nothing_is_said_where_nothing_was_changed(people: Any) -> None:
    assert "outside MailOps" not in browser(people.auditor).get("/").content.decode()
    assert not [finding for finding in findings() if "outside MailOps" in finding.text]


def test_a_missing_trace_is_a_problem(db: None) -> None:
    sql_triggers.remove(connection, [RULES["orders_order"]])
    texts = [finding.text for finding in findings() if finding.is_problem]
    assert any("no longer traces" in text and "trace_orders_order_insert" in text for text in texts)


def test_a_migration_that_fails_leaves_the_traces_in_place(db: None) -> None:
    """It fails after the history's own part, as any migration might, and before the schema is
    touched.
    """
    gone: list[str] = []

    def fail(**kwargs: Any) -> None:
        gone.extend(sql_triggers.missing(connection, RULES.values()))
        raise RuntimeError("a migration failed")

    last = list(apps.get_app_configs())[-1]
    pre_migrate.connect(fail, sender=last)
    try:
        with pytest.raises(RuntimeError):
            call_command("migrate", "notices", "zero", verbosity=0)
    finally:
        pre_migrate.disconnect(fail, sender=last)
    assert gone
    assert sql_triggers.missing(connection, RULES.values()) == []


# The mark


def rename(name: str) -> None:
    User.objects.filter(username="drafter").update(first_name=name)


def test_bulk_changes_of_the_orm_leave_traces(people: Any) -> None:
    User.objects.update(last_name="Everybody")
    NeverBuy.objects.bulk_create([NeverBuy(pattern="a-b"), NeverBuy(pattern="b-c")])
    assert Trace.objects.filter(table_name="auth_user").count() == User.objects.count()
    assert Trace.objects.filter(table_name="orders_neverbuy", what="insert").count() == 2


def test_the_mark_covers_its_own_transaction_only(people: Any) -> None:
    with audited():
        rename("told")
        with audited():
            rename("told twice")
        rename("told again")
    assert not Trace.objects.exists()
    rename("not told")
    assert Trace.objects.count() == 1
    assert not Telling.objects.exists()


def test_the_mark_goes_with_a_rollback(people: Any) -> None:
    with pytest.raises(RuntimeError), audited():
        rename("rolled back")
        raise RuntimeError
    rename("not told")
    assert Trace.objects.get().after == {"first_name": "not told"}


def test_the_mark_goes_with_a_commit(committed: None, people: Any) -> None:
    with audited():
        rename("told")
    rename("not told")
    assert Trace.objects.get().after == {"first_name": "not told"}
    assert not Telling.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's mark is a row")
def test_the_mark_of_another_transaction_does_not_count(people: Any) -> None:
    sql("SET mailops.telling = '17'")
    rename("not told")
    assert Trace.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL's mark is a setting")
def test_a_mark_that_somebody_left_is_reported_and_taken_away(people: Any) -> None:
    sql("INSERT INTO history_telling (id) VALUES (1)")
    assert untracked_changes.lately().marked
    with audited():
        rename("told")
    assert not untracked_changes.lately().marked


def test_events_of_a_rolled_back_part_leave_no_gap(people: Any) -> None:
    with audited():
        record("test.one", people.drafter)
        with pytest.raises(RuntimeError), transaction.atomic():
            record("test.lost", people.drafter)
            raise RuntimeError
        record("test.two", people.drafter)
        with transaction.atomic():
            record("test.three", people.drafter)
        record("test.four", people.drafter)
    assert list(Event.objects.order_by("number").values_list("number", "action")) == [
        (1, "test.one"), (2, "test.two"), (3, "test.three"), (4, "test.four"),
    ]  # fmt: skip
    assert verify().is_unbroken


# The shell


def test_in_the_shell_a_person_says_why(people: Any) -> None:
    with as_person("operator", reason="The client asked for it"):
        Client.objects.bulk_create([Client(name="New client")])
        sql("UPDATE auth_user SET first_name = 'Dana' WHERE username = 'drafter'")
        with audited():
            record("test.told", people.drafter)
            rename("told otherwise")
    added = Event.objects.get(subject_type="orders.client")
    changed = Event.objects.get(action="shell.changed", subject_type="auth.user")
    told = Event.objects.get(action="test.told")
    assert {event.who for event in (added, told, changed)} == {"operator"}
    assert (added.reason, added.subject) == ("The client asked for it", "New client")
    assert changed.changes == {"first_name": ["", "Dana"]}
    assert untracked_changes.tell() == 0


def test_in_the_shell_nothing_happens_without_a_reason(people: Any) -> None:
    with pytest.raises(ValueError, match="Say why"), as_person("operator", reason=" "):
        rename("unsaid")
    assert User.objects.get(username="drafter").first_name == ""


# What MailOps does itself


def browser(person: User) -> Browser:
    made = Browser()
    made.force_login(person)
    return made


def test_an_orders_way_leaves_no_trace(factory: OrderFactory) -> None:
    order = factory.draft()
    drafter, confirmer = browser(factory.people.drafter), browser(factory.people.confirmer)
    assert drafter.post(f"/orders/order/{order.pk}/send/", {"note": "Please"}).status_code == 302
    at = f"/orders/order/{order.pk}"
    assert confirmer.post(f"{at}/send-back/", {"reason": "Too many"}).status_code == 302
    assert drafter.post(f"{at}/send/", {"note": "Fewer"}).status_code == 302
    submission.confirm(order.pk, by=factory.people.confirmer, digest=plan(fresh(order)).digest)
    assert submission.submit(order.pk) == "accepted"
    assert confirmer.post(f"{at}/delivered/", {"reason": "Looked there"}).status_code == 302
    assert drafter.post(f"{at}/copy/").status_code == 302
    sweeper.run()
    assert fresh(order).state == "delivered"
    assert list(Trace.objects.values()) == []


def test_a_verdict_leaves_no_trace(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after-acme")
    assert order.state == "unknown"
    factory.settle(order, settlement.NOT_PLACED)
    assert fresh(order).state == "review"
    assert list(Trace.objects.values()) == []


def test_the_stock_pages_leave_no_trace(factory: OrderFactory) -> None:
    boss, vendor = browser(factory.people.boss), factory.accounts["coldmailreseller"]
    price = {
        "vendor": vendor.pk,
        "item": "domain.org",
        "amount": "9.00",
        "currency": "USD",
        "unit": "year",
    }
    assert boss.post("/vendors/price/add/", price).status_code == 302
    added = Price.objects.get(item="domain.org")
    assert (
        boss.post(f"/vendors/price/{added.pk}/change/", price | {"amount": "10.00"}).status_code
        == 302
    )
    assert boss.post(f"/vendors/price/{added.pk}/delete/", {"post": "yes"}).status_code == 302
    assert (
        boss.post(f"/vendors/vendor/{vendor.pk}/stop/", {"reason": "Card expired"}).status_code
        == 302
    )
    assert boss.post(f"/vendors/vendor/{vendor.pk}/resume/").status_code == 302
    assert (
        boss.post("/vendors/vendor/hold_all/", {"reason": "Prices look wrong"}).status_code == 302
    )
    assert boss.post("/vendors/vendor/release_all/").status_code == 302
    person = {
        "username": "drafter",
        "groups": [Group.objects.get(name="Confirmer").pk],
        "is_active": "on",
        "why": "Now.",
    }
    assert boss.post(f"/auth/user/{factory.people.drafter.pk}/change/", person).status_code == 302
    assert (
        boss.post(f"/auth/user/{factory.people.both.pk}/delete/", {"post": "yes"}).status_code
        == 302
    )
    workflow.approve(Proposal.objects.get().pk, by=User.objects.create_superuser("second"))
    assert set(Trace.objects.values_list("table_name", "what")) == {
        ("auth_user", "insert")
    }  # the second superuser
    first, then = Event.objects.filter(action="user.changed").order_by("number")
    assert first.changes == {"groups": [["Drafter"], []], "is_staff": [True, False]}
    assert then.changes["groups"] == [[], ["Confirmer"]]
