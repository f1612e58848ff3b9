"""The audited tables of all apps: each app's configuration lists its own."""

from __future__ import annotations

from django.apps import apps

from mailops.core.sql_triggers import AuditedTable


def everywhere() -> list[AuditedTable]:
    return [
        rule for config in apps.get_app_configs() for rule in getattr(config, "audited_tables", ())
    ]
