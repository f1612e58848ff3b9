"""The orders app: triggers, schedules and roles after each migration; the queue's heartbeat."""

import time
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from orders.audit.audited_order_tables import TRACED

BEAT_SECONDS = 5  # between two writes of a heartbeat: orders may end faster
last_beats: dict[str, float] = {}


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = "Orders"
    audited_tables = TRACED
    queue_tasks = tuple(
        f"orders.tasks.{name}"
        for name in (
            "submit_order", "sweep", "ask_account", "ask_names", "beat",
            "ask_progress", "look_for",  # queued by an older version
        )
    )  # fmt: skip

    def ready(self) -> None:
        from django_q.signals import post_execute

        from mailops.auth import roles
        from mailops.history import retention
        from orders.audit import order_policies  # noqa: F401  (registers what needs a second person)
        from vendors.models import sending_switch

        pre_migrate.connect(remove_triggers, sender=self)
        for hook in (install_triggers, install_schedules, roles.make_groups):
            post_migrate.connect(hook, sender=self)
        post_execute.connect(heartbeat)
        retention.needed_by.append("orders.audit.order_retention.first_needed")
        sending_switch.before_release.append("orders.sending.restored_backup.return_confirmed")


def remove_triggers(*, using: str, plan: Sequence[Any] = (), **kwargs: Any) -> None:
    # SQLite can't rebuild a table that the trigger of another table names. PostgreSQL can't change
    # the type of a column that a trigger names.
    from mailops.core import sql_triggers
    from orders.models.constraints import TRIGGERS

    connection = connections[using]
    if connection.vendor == "sqlite" or any(step.app_label == "orders" for step, _ in plan):
        sql_triggers.remove(connection, TRIGGERS)


def install_triggers(*, using: str, **kwargs: Any) -> None:
    from mailops.core import sql_triggers
    from orders.models.constraints import TRIGGERS

    connection = connections[using]
    # After a migration back to an older state the tables may be gone.
    if "orders_confirmation" in connection.introspection.table_names():
        sql_triggers.install(connection, TRIGGERS)


def install_schedules(*, using: str, **kwargs: Any) -> None:
    # Names are not unique in the queue's own table, so a row is looked up by its name.
    from django_q.models import Schedule

    from mailops.history import audited
    from orders.tasks import SWEEP

    if {"django_q_schedule", "history_telling"} <= {
        *connections[using].introspection.table_names()
    }:
        with audited():
            Schedule.objects.using(using).update_or_create(
                name="Sweep",
                defaults={
                    "func": SWEEP,
                    "schedule_type": Schedule.MINUTES,
                    "minutes": 1,
                    "repeats": -1,
                },
            )


def heartbeat(*, task: dict[str, Any], **kwargs: Any) -> None:
    # Runs in a queue's monitor after a task was acknowledged. Every task counts: a heartbeat that
    # only the sweep makes is late behind a long line of orders, and then a worker that works would
    # be killed.
    from mailops.core import heartbeat as health
    from orders.tasks import SWEEP

    queue, now = task.get("cluster"), time.monotonic()
    if queue not in health.BEATS:
        return
    is_sweep = task.get("func") == SWEEP and task.get("success")
    if is_sweep:
        health.note_sweep()
    if is_sweep or now - last_beats.get(queue, -BEAT_SECONDS) >= BEAT_SECONDS:
        last_beats[queue] = now
        health.beat(queue)
