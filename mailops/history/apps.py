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


def install_triggers(*, using: str, **kwargs: Any) -> None:
    from mailops import triggers
    from mailops.history.models import TRIGGERS, Event

    connection = connections[using]
    if Event._meta.db_table in connection.introspection.table_names():
        triggers.install(connection, TRIGGERS)
