"""Which tables leave traces: each app's configuration has a list of its own, `traced`."""

from __future__ import annotations

from django.apps import apps

from mailops.core.sql_triggers import Traced


def everywhere() -> list[Traced]:
    """The traced tables of all apps."""
    return [rule for config in apps.get_app_configs() for rule in getattr(config, "traced", ())]
