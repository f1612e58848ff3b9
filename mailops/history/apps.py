"""The history app: installs its triggers and schedules after every migration."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class HistoryConfig(AppConfig):
    name = "mailops.history"
    label = "history"
    verbose_name = "Records"
    queue_tasks = tuple(
        f"mailops.history.tasks.{name}" for name in ("verify_whole", "verify_new", "write_digest")
    )

    def ready(self) -> None:
        from mailops.history import sign_in_events  # noqa: F401  (connects Django's signals)

        pre_migrate.connect(remove_traces, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        post_migrate.connect(install_schedules, sender=self)


def remove_traces(*, using: str, plan: Any = (), **kwargs: Any) -> None:
    # A migration changes columns that the triggers name, and its own changes are not untracked.
    from mailops.core import sql_triggers
    from mailops.history import audited_tables

    connection = connections[using]
    if plan:
        tables = connection.introspection.table_names()
        sql_triggers.remove(
            connection, [rule for rule in audited_tables.everywhere() if rule.table in tables]
        )


def put_back_traces(*, using: str) -> None:
    """Install the triggers of audited tables after a migration that failed."""
    from mailops.core import sql_triggers
    from mailops.history import audited_tables
    from mailops.history.models import Trace

    connection = connections[using]
    tables = connection.introspection.table_names()
    if Trace._meta.db_table in tables:
        sql_triggers.install(
            connection, [rule for rule in audited_tables.everywhere() if rule.table in tables]
        )


def install_triggers(*, using: str, **kwargs: Any) -> None:
    from mailops.core import sql_triggers
    from mailops.history import audited_tables
    from mailops.history.chain import TAIL_FUNCTION
    from mailops.history.models import ALL_TRIGGERS, TRACE_TRIGGERS, Event, Trace

    connection = connections[using]
    tables = connection.introspection.table_names()
    rules: list[sql_triggers.Rule] = [*ALL_TRIGGERS, *TRACE_TRIGGERS]
    if Trace._meta.db_table in tables:
        rules += audited_tables.everywhere()
    sql_triggers.install(connection, [rule for rule in rules if rule.table in tables])
    if connection.vendor == "postgresql" and Event._meta.db_table in tables:
        with connection.cursor() as cursor:
            cursor.execute(TAIL_FUNCTION)


def install_schedules(*, using: str, **kwargs: Any) -> None:
    from django_q.models import Schedule

    from mailops.history import audited
    from mailops.history.tasks import schedules

    if {"django_q_schedule", "history_telling"} <= {
        *connections[using].introspection.table_names()
    }:
        # An update changes a schedule's row but leaves the time of its next run.
        with audited():
            for name, row, first in schedules():
                Schedule.objects.using(using).update_or_create(
                    name=name, defaults=row, create_defaults=row | {"next_run": first}
                )
