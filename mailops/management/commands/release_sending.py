"""`manage.py release_sending --reason "…"`: let sending go on where nobody can reach the page."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailops.history import audited, operator, record
from orders.models import Order, State
from vendors.models import SendingSwitch


class Command(BaseCommand):
    help = (
        "Let sending go on. After a restored backup, confirmed orders wait for confirmation again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="Why; the history keeps it.")

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        if not reason.strip():
            raise CommandError("Say why sending goes on; the history keeps it.")
        with operator(["manage.py", "release_sending"]), audited():
            switch = SendingSwitch.current()
            if not switch.stopped_at:
                raise CommandError("Sending is not held.")
            before = Order.objects.filter(state=State.CONFIRMED).count()
            switch.release()
            record("sending.released", switch, reason=reason.strip())
            back = before - Order.objects.filter(state=State.CONFIRMED).count()
        self.stdout.write("Sending goes on. Waiting orders go out within a minute.")
        if back:
            self.stdout.write(
                f"{back} orders wait for confirmation again: look at the vendor first."
            )
