"""`manage.py new_seal_key`: print a new key for MAILOPS_SEAL_KEYS."""

from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Print a new key for MAILOPS_SEAL_KEYS. Put it first and keep the old ones behind it until"
        " `reseal` has run."
    )
    # The first key of an installation is made before its settings are complete.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(Fernet.generate_key().decode())
