"""Run the practice vendors as their own process."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from vendors.practice.server import Pace, start


class Command(BaseCommand):
    help = "Run the four vendor APIs for practice: real HTTP, their own ledger, nothing is bought."
    # The practice vendors need no database and no other setting of MailOps.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="an address of this machine alone")
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--ledger", type=Path, default=settings.DATA_DIR / "practice.sqlite3")
        parser.add_argument(
            "--delivery-seconds",
            type=float,
            default=Pace.delivery,
            help="until an order is delivered (%(default)s)",
        )
        parser.add_argument(
            "--answer-seconds",
            type=float,
            default=Pace.answer,
            help="before every answer to an order (%(default)s)",
        )
        parser.add_argument(
            "--silence-seconds",
            type=float,
            default=Pace.silence,
            help="until a vendor that never answers hangs up (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        pace = Pace(
            delivery=options["delivery_seconds"],
            answer=options["answer_seconds"],
            silence=options["silence_seconds"],
        )
        # The supervisor ends its processes with SIGTERM, a person at a terminal with SIGINT.
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        try:
            server = start(
                ledger=options["ledger"], host=options["host"], port=options["port"], pace=pace
            )
        except (OSError, ValueError) as error:
            raise CommandError(f"The practice vendors can't listen: {error}") from error
        self.stdout.write(f"Practice vendors listen on {server.url}, ledger {options['ledger']}")
        # Into a pipe, the line would otherwise stay in a buffer for as long as the server runs.
        self.stdout.flush()
        stopped.wait()
        server.stop()
