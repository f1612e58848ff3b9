"""The vendors app; after every migration it installs its triggers again."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from vendors.audited_vendor_tables import TRACED


class VendorsConfig(AppConfig):
    name = "vendors"
    verbose_name = "Vendors"
    audited_tables = TRACED

    def ready(self) -> None:
        from vendors import account_policies  # noqa: F401  (registers what needs a second person)

        post_migrate.connect(install_triggers, sender=self)


def install_triggers(*, using: str, **kwargs: Any) -> None:
    from mailops.core import sql_triggers
    from vendors.models import exchange_rate, price_version

    connection = connections[using]
    tables = connection.introspection.table_names()
    for kept in (price_version.TRIGGERS, exchange_rate.TRIGGERS):
        if kept[0].table in tables:
            sql_triggers.install(connection, kept)
