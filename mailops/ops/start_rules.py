"""Reasons not to start, looked at before the first worker or web process."""

from __future__ import annotations

import sys
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import Error, connection

from mailops.core import durability
from mailops.core.sealed import CannotOpen, Sealed
from mailops.ops import newer_database

FEW = 20  # rows of each table whose secrets are tried


def refuse() -> None:
    """Exit with a sentence. A database that can't be read is another matter: others say so."""
    # SQLite would make an empty file by being asked.
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return
    try:
        says = newer_database.sentence() or (settings.LIVE and unsafe_database())
    except Error:
        return
    finally:
        # No child or worker may inherit the connection.
        connection.close()
    if says:
        sys.exit(says)


def unsafe_database() -> str:
    """Why this database is none to be live on, in a sentence; empty where it is one."""
    if says := next(iter(durability.lost_commits(connection)), ""):
        return says
    if opens_nothing():
        return (
            "MAILOPS_SEAL_KEYS opens none of the keys and passwords that are stored here. Set it to"
            " the key that this installation had, as it is kept with the backups."
        )
    return ""


def opens_nothing() -> bool:
    """True where secrets are stored and none of those tried can be opened."""
    is_any = False
    for model in apps.get_models():
        if not any(field.name == "sealed" for field in model._meta.get_fields()):
            continue
        rows = model._default_manager.exclude(sealed="").order_by("-pk")
        for sealed in rows.values_list("sealed", flat=True)[:FEW]:
            is_any = True
            try:
                Sealed(sealed).open()
            except CannotOpen:
                continue
            return False
    return is_any
