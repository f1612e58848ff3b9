"""System checks: settings with which money, history or rights would not be safe."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core import checks
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.db import Error as DatabaseError
from django.db import connections

from mailops.core import durability
from mailops.core.heartbeat import first_line
from mailops.core.queue_names import QUESTIONS

LEAST_KEPT_DAYS = 90
USER_PAGES = "mailops.site.users"


@register
def check_queue(**kwargs: Any) -> list[CheckMessage]:
    queue: dict[str, Any] = settings.Q_CLUSTER
    timeout = queue["timeout"]
    questions = queue | queue.get("ALT_CLUSTERS", {}).get(QUESTIONS, {})
    if min(queue["workers"], questions["workers"]) < 1:
        hint = "Set QUEUE_WORKERS and QUESTION_WORKERS to 1 or more."
        return [Error("A queue without workers does nothing.", hint=hint, id="mailops.E009")]
    longest = max(_longest_hold(queue), _longest_hold(questions))
    rules = [
        (
            queue["sync"],
            "Tasks would run inside the web request's transaction.",
            "Set sync to False.",
        ),
        (
            queue.get("orm") != "default",
            "Tasks must be queued in the orders' own database.",
            "Set orm to default.",
        ),
        (
            queue["retry"] <= longest,
            "Tasks would be handed out twice while they run.",
            f"Set QUEUE_RETRY over {longest}.",
        ),
        (
            timeout <= settings.VENDOR_DEADLINE_SECONDS,
            "The queue would stop a task while a vendor may still answer.",
            "Set VENDOR_DEADLINE_SECONDS below QUEUE_TIMEOUT.",
        ),
        (
            timeout + 60 >= settings.LEASE_SECONDS,
            "An order could be called unknown while its worker still runs.",
            f"Set LEASE_SECONDS over {timeout + 60}.",
        ),
        (
            queue["guard_cycle"] != 0.5,
            "With another guard cycle hung workers are never stopped.",
            "Set it to 0.5.",
        ),
    ]
    return [
        Error(message, hint=hint, id=f"mailops.E00{number}")
        for number, (is_wrong, message, hint) in enumerate(rules, 1)
        if is_wrong
    ]


def _longest_hold(queue: dict[str, Any]) -> int:
    """Seconds from when a process fetched a task until it ends, at the most."""
    # django-q hands a task out again after `retry` seconds, counted from that moment: the task may
    # wait behind a full queue, and each task before it may run into its time-out.
    before = ceil((queue["queue_limit"] + queue["bulk"]) / queue["workers"])
    return int((queue["timeout"] + 4) * (1 + before))


@register
def check_database(**kwargs: Any) -> list[CheckMessage]:
    default = settings.DATABASES["default"]
    is_sqlite = "sqlite" in default["ENGINE"]
    found: list[CheckMessage] = []
    # no transaction may stay open while a vendor answers
    if default.get("ATOMIC_REQUESTS"):
        found.append(
            Error("ATOMIC_REQUESTS keeps a transaction open across everything.", id="mailops.E010")
        )
    # a transaction that takes the write lock only at its first write fails at once with "database
    # is locked" where another wrote after it began
    if is_sqlite and default.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE":
        found.append(Error("SQLite needs transaction_mode IMMEDIATE.", id="mailops.E011"))
    if is_sqlite and sqlite3.sqlite_version_info < (3, 38):
        hint = (
            f"This one is {sqlite3.sqlite_version}. A newer Python brings a newer SQLite, or use"
            " PostgreSQL."
        )
        message = "The rules in the database need SQLite 3.38 or newer."
        found.append(Error(message, hint=hint, id="mailops.E013"))
    if any(word in str(settings.CACHES["default"]["BACKEND"]) for word in ("locmem", "dummy")):
        found.append(Error("The cache must be shared by web and workers.", id="mailops.E012"))
    return found


@register(Tags.database)
def check_durability(
    *, databases: Collection[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warnings about the server's settings; asked only by `migrate` and `check --database`."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            found += [
                checks.Warning(text, id="mailops.W014")
                for text in durability.problems(connections[alias])
            ]
        except DatabaseError as error:
            found.append(
                checks.Warning(
                    f"The database can't be asked: {first_line(error)}.", id="mailops.W015"
                )
            )
    return found


@register
def check_history(**kwargs: Any) -> list[CheckMessage]:
    if not 0 < settings.HISTORY_KEEP_DAYS < LEAST_KEPT_DAYS:
        return []
    hint = f"Set it to {LEAST_KEPT_DAYS} or more, or to 0 to keep every record in the database."
    return [Error("HISTORY_KEEP_DAYS is too short.", hint=hint, id="mailops.E020")]


@register
def check_persons(**kwargs: Any) -> list[CheckMessage]:
    if not settings.ONE_PERSON:
        return []
    says = (
        "This installation is marked as one-person: limits, keys and roles change without a second"
        " person."
    )
    return [Info(says, hint="Unset MAILOPS_ONE_PERSON once there are two.", id="mailops.I001")]


@register
def check_user_pages(**kwargs: Any) -> list[CheckMessage]:
    """Errors where the admin pages of users or roles are not those of `mailops.site.users`.

    With Django's own pages, rights would be given without a second person, and no event written.
    """
    # Compared by the module's name: an import here would register our pages, and so hide that
    # `mailops.admin` imports them no longer.
    pages = {
        model: type(admin.site.get_model_admin(model)) if admin.site.is_registered(model) else None
        for model in (User, Group)
    }
    hint = f"mailops/admin.py has to import {USER_PAGES}, which registers our pages."
    return [
        Error(
            f"The admin pages of {model._meta.verbose_name_plural} are not MailOps' own.",
            hint=hint,
            id="mailops.E030",
        )
        for model, page in pages.items()
        if page is None or page.__module__ != USER_PAGES
    ]
