"""`manage.py archive_history`: move old records to files; the chain goes on where they end."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from mailops.history import acting
from mailops.history.archive_files import BadArchive, archive, stretch


class Command(BaseCommand):
    help = "Say which old records would be moved to files; with --yes, move them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before",
            required=True,
            metavar="DATE",
            help="move records written before it: 2026-01-31",
        )
        parser.add_argument("--yes", action="store_true", help="do it; without, nothing is changed")

    def handle(self, *args: Any, before: str, yes: bool, **options: Any) -> None:
        try:
            day = parse_date(before)
        except ValueError:
            day = None
        if day is None:
            raise CommandError(f"{before} is no date. Write it like 2026-01-31.")
        until = timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001  (made aware here)
        try:
            self._archive(until, really=yes)
        except BadArchive as bad:
            raise CommandError(str(bad)) from bad

    def _archive(self, until: datetime, *, really: bool) -> None:
        found = stretch(until)
        if not found.records:
            self.stdout.write(f"There is nothing to archive: {found.why}.")
            return
        self.stdout.write(f"Records {found.after.number + 1} to {found.last}: {found.why}.")
        if not really:
            self.stdout.write("Nothing was changed. Add --yes to move them.")
            return
        with acting(who="archive_history"):
            for moved in archive(found):
                self.stdout.write(moved.says)
        self.stdout.write(
            "Keep a copy of the files elsewhere: the database no longer holds these records."
        )
