"""`manage.py health`: does sending work? For monitors and for whoever is woken by one."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mailops import health


class Command(BaseCommand):
    help = "Say in plain sentences what is wrong. Exit code 1 if somebody has to do something now, 0 otherwise."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print only problems, nothing while all is well")

    def handle(self, *args: Any, **options: Any) -> None:
        found = health.findings()
        problems = [finding for finding in found if finding.is_problem]
        for finding in problems if options["quiet"] else found:
            self.stdout.write(f"{'Problem' if finding.is_problem else 'Note'}: {finding.text}")
        if problems:
            sys.exit(1)
        if not options["quiet"]:
            self.stdout.write("Sending works.")
