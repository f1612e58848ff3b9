"""The proposals app. Installs the triggers against self-approval after every migration."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from mailops.core.sql_triggers import AuditedTable


class ProposalsConfig(AppConfig):
    name = "mailops.proposals"
    label = "proposals"
    verbose_name = "People"
    audited_tables = (AuditedTable(table="proposals_proposal", secret=("sealed",)),)

    def ready(self) -> None:
        post_migrate.connect(install_triggers, sender=self)


def install_triggers(*, using: str, **kwargs: Any) -> None:
    from mailops.core import sql_triggers
    from mailops.proposals.models import TRIGGERS, Proposal

    connection = connections[using]
    if Proposal._meta.db_table in connection.introspection.table_names():
        sql_triggers.install(connection, TRIGGERS)
