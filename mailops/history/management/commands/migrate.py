"""`manage.py migrate`, after which untracked changes leave traces again, even if it failed."""

from typing import Any

from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, Error

from mailops.history.apps import put_back_traces


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except (Exception, KeyboardInterrupt):
            # `migrate --check` ends with SystemExit, which passes.
            try:
                put_back_traces(using=options.get("database") or DEFAULT_DB_ALIAS)
            except Error as error:
                # The database may be gone. The error of the migration is the one to report.
                self.stderr.write(
                    f"The database leaves no traces now, until a migrate succeeds: {error}"
                )
            raise
