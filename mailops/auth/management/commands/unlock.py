"""`manage.py unlock NAME`: end a lockout where nobody can log in to end it on the page."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailops.auth import lockout
from mailops.history import acting


class Command(BaseCommand):
    help = "Let a name log in again from everywhere, or everybody at an address, or both, at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="")
        parser.add_argument(
            "--address", default="", help="An IP address; of an IPv6 one its /64 network."
        )

    def handle(self, *args: Any, name: str, address: str, **options: Any) -> None:
        origin = lockout.counted_as(address.partition("/")[0]) if address else ""
        if origin is None or not (name or origin):
            raise CommandError("Give a name, or --address and an IP address, or both.")
        with acting(who="manage.py unlock"):
            count = lockout.unlock(name=name, origin=origin)
        whose = " and ".join(filter(None, (name, address)))
        self.stdout.write(
            f"{count} failed sign-ins of {whose} are forgotten." if count else "Nothing to do."
        )
