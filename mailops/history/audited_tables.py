"""Which tables leave traces: each app's configuration has a list of its own, `audited_tables`."""

from __future__ import annotations

from django.apps import apps

from mailops.core.sql_triggers import AuditedTable


def everywhere() -> list[AuditedTable]:
    """The audited tables of all apps."""
    return [
        rule for config in apps.get_app_configs() for rule in getattr(config, "audited_tables", ())
    ]
