"""`manage.py export_evidence`: an evidence pack of one order or a period, to a file."""

from __future__ import annotations

import getpass
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mailops.history import acting
from orders.audit import evidence_pack
from orders.audit.evidence_pack.contents import Moving
from orders.models import Order


class Command(BaseCommand):
    help = (
        "Write an evidence pack of one order or a period. What was exported, and by whom, goes into"
        " the history."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--order", help="One order, for example MO-1001.")
        parser.add_argument(
            "--from", dest="first", type=date.fromisoformat, help="The first day, as 2026-11-01."
        )
        parser.add_argument(
            "--to", dest="last", type=date.fromisoformat, help="The last day, included."
        )
        parser.add_argument(
            "--out", required=True, type=Path, help="The file to write; it must not exist yet."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"]
        if out.exists():
            raise CommandError(f"{out} exists already. Name another file.")
        with acting(who=f"{getpass.getuser()} (command line)"):
            try:
                made = evidence_pack.make(_wanted(options))
            except (evidence_pack.TooMuch, Moving) as error:
                raise CommandError(str(error)) from None
        with made.file, out.open("xb") as to:
            shutil.copyfileobj(made.file, to)
        self.stdout.write(f"{out}: {made.orders} orders, {made.records} records.")
        self.stdout.write(f"Fingerprint of its manifest: {made.manifest_sha256}")


def _wanted(options: dict[str, Any]) -> evidence_pack.Wanted:
    if options["order"]:
        number = options["order"].upper().removeprefix("MO-")
        order = Order.objects.filter(pk=int(number) - 1000).first() if number.isdecimal() else None
        if order is None:
            raise CommandError(
                f"There is no order {options['order']}. An order's number reads like MO-1001."
            )
        return evidence_pack.Wanted(order=order)
    if not (options["first"] and options["last"]):
        raise CommandError("Give --order, or both --from and --to.")
    return evidence_pack.Wanted(first=options["first"], last=options["last"])
