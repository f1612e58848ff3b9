#!/usr/bin/env python3
"""Django's command line for MailOps."""

import os
import sys

from django.core.management import execute_from_command_line

from mailops.history import operator

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailops.settings")
    with operator(sys.argv):
        execute_from_command_line(sys.argv)
