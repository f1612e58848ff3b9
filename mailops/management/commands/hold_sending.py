"""`manage.py hold_sending --reason "…"`: hold all sending where nobody can reach the page."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailops.history import audited, operator, record
from vendors.models import SendingSwitch

LONGEST_REASON = 200


class Command(BaseCommand):
    help = "Hold all sending. Requests that left already can't be called back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="Why; every page shows it.")

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        reason = reason.strip()[:LONGEST_REASON]
        if not reason:
            raise CommandError("Say why all sending is held; the others will want to know.")
        with operator(["manage.py", "hold_sending"]), audited():
            switch = SendingSwitch.current()
            event = record("sending.held", switch, reason=reason)
            switch.hold(reason=reason, by=event.who)
        self.stdout.write(
            "All sending is held. Requests that are on their way already can't be called back."
        )
