"""`manage.py health`: does sending work, and what is wrong?"""

import os
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailops.ops.diagnostics import findings


class Command(BaseCommand):
    help = "Say in plain sentences whether MailOps works. Exit code 1 where there is a problem."
    # the checks are about settings; with a wrong setting this command is needed most
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print only problems")
        parser.add_argument(
            "--seconds", type=float, default=30, help="wait so long for the database (default: 30)"
        )

    def handle(self, *args: Any, quiet: bool, seconds: float, **options: Any) -> None:
        watch = threading.Timer(seconds, self._give_up, [seconds])
        watch.daemon = True
        watch.start()
        try:
            found = findings()
        finally:
            watch.cancel()
        problems = [finding for finding in found if finding.is_problem]
        for finding in problems if quiet else found:
            self._say(f"{finding.level.capitalize()}: {finding.text}")
        if problems:
            sys.exit(1)
        if not quiet:
            self._say("Sending works. No problem found.")

    def _give_up(self, seconds: float) -> None:
        # a query to a database that hangs can't be interrupted, so the whole process ends
        self._say(f"Problem: The database did not answer within {seconds:g} seconds.")
        self.stdout.flush()
        os._exit(1)

    def _say(self, text: str) -> None:
        # the encoding of a cron job may lack letters of an account's name
        encoding = sys.stdout.encoding or "utf-8"
        self.stdout.write(text.encode(encoding, "replace").decode(encoding))
