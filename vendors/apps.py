"""The vendors app: what must stand after every migration."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from vendors.traced import TRACED


class VendorsConfig(AppConfig):
    name = "vendors"
    verbose_name = "Vendors"
    traced = TRACED

    def ready(self) -> None:
        from vendors import proposed  # noqa: F401 (registers what needs a second person)

        post_migrate.connect(install_triggers, sender=self)


def install_triggers(*, using: str, **kwargs: Any) -> None:
    from mailops import triggers
    from vendors.models import rate, version

    connection = connections[using]
    tables = connection.introspection.table_names()
    for kept in (version.TRIGGERS, rate.TRIGGERS):
        if kept[0].table in tables:
            triggers.install(connection, kept)
