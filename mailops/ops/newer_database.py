"""Notices a database that a newer program has changed."""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader


def sentence() -> str:
    """Names the first migration that this program does not have; empty where it has them all."""
    loader = MigrationLoader(connection)
    ours = {config.label for config in apps.get_app_configs()}
    known = {*loader.disk_migrations}
    for migration in loader.disk_migrations.values():
        known |= {*migration.replaces}
    strange = sorted(
        key for key in loader.applied_migrations if key[0] in ours and key not in known
    )
    if not strange:
        return ""
    more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
    return (
        f"The database is newer than the program: it has {'.'.join(strange[0])}{more}, which this"
        " version does not know. Start the newer version, or restore a backup of before the update."
    )
