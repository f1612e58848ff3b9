"""`manage.py unlock NAME`: forget the failed sign-ins of a name or an address, where nobody can log in to do it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailops.doors import throttle
from mailops.history import acting


class Command(BaseCommand):
    help = "Let a name, or everybody at an address, log in again at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="")
        parser.add_argument("--address", default="", help="An IP address instead of a name.")

    def handle(self, *args: Any, name: str, address: str, **options: Any) -> None:
        if bool(name) == bool(address):
            raise CommandError("Give a name, or --address and an address.")
        with acting(who="manage.py unlock"):
            count = throttle.unlock(name=name, origin=address)
        self.stdout.write(f"{count} failed sign-ins of {name or address} are forgotten." if count else "Nothing to do.")
