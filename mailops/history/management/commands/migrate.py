"""`manage.py migrate`, after which the database leaves traces again: also where a migration failed."""

from typing import Any

from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, Error

from mailops.history.apps import put_back_traces


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except (Exception, KeyboardInterrupt):  # not what `--check` ends with
            try:
                put_back_traces(using=options.get("database") or DEFAULT_DB_ALIAS)
            except (
                Error
            ) as error:  # the database is gone, say: what the migration failed of is the news
                self.stderr.write(
                    f"The database leaves no traces now, until a migrate succeeds: {error}"
                )
            raise
