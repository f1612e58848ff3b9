"""`manage.py verify_history`: is the chain unbroken?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mailops.history.chain import verify


class Command(BaseCommand):
    help = "Read the whole history and say whether it is unbroken. Exit code 1 names the first bad record."

    def handle(self, *args: Any, **options: Any) -> None:
        finding = verify()
        if finding.missing_triggers:
            raise CommandError(f"The database no longer refuses edits: {', '.join(finding.missing_triggers)} missing.")
        if finding.bad is not None:
            raise CommandError(f"The history is broken at record {finding.bad}: {finding.why}.")
        self.stdout.write(
            f"The history is unbroken: {finding.records} records, last hash {finding.last_hash or 'none'}."
        )
