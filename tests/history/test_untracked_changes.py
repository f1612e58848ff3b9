"""A change past MailOps, by raw SQL, leaves a trace that the history reports, for every table."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection, models, transaction
from django.utils import timezone

from mailops.auth.models import Authenticator, RecoveryCode
from mailops.core import sql_triggers
from mailops.core.sql_triggers import HIDDEN
from mailops.history import audited
from mailops.history.models import TRACE_TRIGGERS, Trace
from mailops.history.verify import verify
from mailops.notices.models import NoticeSettings, SharedAddress
from mailops.proposals import workflow
from mailops.proposals.policies import Wanted
from orders.models import (
    Attempt,
    Client,
    Confirmation,
    ConfirmationRule,
    Delegation,
    Departure,
    Domain,
    Editor,
    Finding,
    Mailbox,
    Match,
    NeverBuy,
    Refund,
)
from tests.conftest import OrderFactory
from tests.history.raw_changes import RULES, now_told, somebody, sql
from vendors.models import Contact, Price, PriceVersion, Rate, SendingSwitch, Vendor

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
        departure = Departure.objects.create(vendor=order.vendor, reason="never_came", on=until)
        refund = Refund.objects.create(vendor=order.vendor, amount=1, currency="USD", on=until)
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
        "orders_departure": (departure, "note"),
        "orders_refund": (refund, "note"),
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
