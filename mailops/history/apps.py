"""The history app: makes sure after every migration that the database still refuses edits."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class HistoryConfig(AppConfig):
    name = "mailops.history"
    verbose_name = "Records"

    def ready(self) -> None:
        post_migrate.connect(install_triggers, sender=self)
        post_migrate.connect(install_schedules, sender=self)


def install_triggers(*, using: str, **kwargs: Any) -> None:
    from mailops import triggers
    from mailops.history.models import ALL_TRIGGERS

    connection = connections[using]
    tables = connection.introspection.table_names()
    triggers.install(connection, tuple(trigger for trigger in ALL_TRIGGERS if trigger.table in tables))


def install_schedules(*, using: str, **kwargs: Any) -> None:
    """One row a schedule, by name. The first run is not at once: a new history has nothing to show yet."""
    from django_q.models import Schedule

    from mailops.history.tasks import schedules

    if "django_q_schedule" in connections[using].introspection.table_names():
        for name, row, first in schedules():
            Schedule.objects.using(using).update_or_create(
                name=name, defaults=row, create_defaults=row | {"next_run": first}
            )
