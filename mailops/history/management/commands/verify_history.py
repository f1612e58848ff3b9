"""`manage.py verify_history`: is the chain unbroken?"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from mailops.history import acting, verification_runs
from mailops.history.archive import Archive
from mailops.history.archive_files import BadArchive, verify_files
from mailops.history.chain_breaks import explain
from mailops.history.digest_files import BadDigest, points_of
from mailops.history.verify import Finding, Point, verify


class Command(BaseCommand):
    help = (
        "Read the whole history and say whether it is unbroken. Exit code 1 names the first bad"
        " record."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--digests",
            type=Path,
            metavar="FILE",
            help="compare with digests that were kept elsewhere",
        )
        parser.add_argument(
            "--archive",
            type=Path,
            nargs="+",
            metavar="FILE",
            help="verify archived records together with the rest",
        )
        parser.add_argument("--quiet", action="store_true", help="print only what is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        points = self._points(options["digests"]) if options["digests"] else []
        try:
            archived = verify_files(options["archive"], points) if options["archive"] else 0
        except BadArchive as bad:
            raise CommandError(str(bad)) from bad
        finding = self._run(points)
        if finding.says:
            raise CommandError("\n".join([finding.says, *explain(finding).lines]))
        if not options["quiet"]:
            self._say(finding, points, archived)

    def _points(self, path: Path) -> list[Point]:
        try:
            return points_of(path)
        except (OSError, BadDigest) as bad:
            raise CommandError(f"{path} can't be used: {bad}") from bad

    def _run(self, points: list[Point]) -> Finding:
        with acting(who="verify_history"):
            try:
                return verification_runs.check_whole(by="verify_history", against=points)
            except Error:
                # A copy of the database that is read-only can be verified as well.
                return verify(against=points)

    def _say(self, finding: Finding, points: list[Point], archived: int) -> None:
        last = finding.last_hash or "none"
        self.stdout.write(f"The history is unbroken: {finding.records} records, last hash {last}.")
        if finding.read:
            rate = finding.read / max(finding.seconds, 0.001)
            self.stdout.write(
                f"{finding.read:,} records read in {finding.seconds:.1f} s, {rate:,.0f} a second."
            )
        if points:
            compared = [point for point in points if archived or point.number > finding.began]
            if compared:
                self.stdout.write(f"{len(compared)} digests fit.")
            if len(compared) < len(points):
                left = len(points) - len(compared)
                self.stdout.write(
                    f"{left} are of archived records and were not compared: give the files with"
                    " --archive."
                )
        if archived:
            self.stdout.write(f"{archived:,} archived records fit.")
        else:
            for archive in Archive.objects.all():
                self.stdout.write(archive.says)
            if finding.began:
                self.stdout.write("Their contents were not read: give the files with --archive.")
