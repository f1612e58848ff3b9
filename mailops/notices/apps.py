"""The notices app: its schedule stands after every migration."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from mailops.core.queue_names import QUESTIONS
from mailops.core.sql_triggers import AuditedTable


class NoticesConfig(AppConfig):
    name = "mailops.notices"
    label = "notices"
    verbose_name = "Notices"
    queue_tasks = ("mailops.notices.tasks.tick",)
    audited_tables = (
        AuditedTable(table="notices_noticesettings", secret=("sealed",)),
        AuditedTable(table="notices_sharedaddress", secret=("sealed",)),
    )

    def ready(self) -> None:
        post_migrate.connect(install_schedule, sender=self)


def install_schedule(*, using: str, **kwargs: Any) -> None:
    """Create or correct the schedule of `tick`."""
    from django_q.models import Schedule

    from mailops.history import audited
    from mailops.notices.tasks import TICK

    # `migrate` of single apps ends before both tables exist
    needed = {"django_q_schedule", "history_telling"}
    if needed <= {*connections[using].introspection.table_names()}:
        with audited():
            # found by its name: the queue's own table does not keep names unique
            Schedule.objects.using(using).update_or_create(
                name="Notices",
                defaults={
                    "func": TICK,
                    "schedule_type": Schedule.MINUTES,
                    "minutes": 1,
                    "repeats": -1,
                    # a mail server that hangs must not hold up orders
                    "cluster": QUESTIONS,
                },
            )
