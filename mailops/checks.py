"""System checks: settings with which money or history would not be safe."""

from __future__ import annotations

import sqlite3
from math import ceil
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, register


@register
def check_queue(**kwargs: Any) -> list[CheckMessage]:
    """The queue may ring twice, but never because its own clocks are set wrongly."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    workers, timeout = queue["workers"], queue["timeout"]
    longest = (timeout + 4) * (1 + ceil((queue["queue_limit"] + queue["bulk"]) / workers))
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
        for number, (bad, message, hint) in enumerate(rules, 1)
        if bad
    ]


@register
def check_database(**kwargs: Any) -> list[CheckMessage]:
    """No transaction may stay open across a vendor's answer, and SQLite must take its lock at the
    start.
    """
    default = settings.DATABASES["default"]
    found: list[CheckMessage] = []
    if default.get("ATOMIC_REQUESTS"):
        found.append(
            Error("ATOMIC_REQUESTS keeps a transaction open across everything.", id="mailops.E010")
        )
    if (
        "sqlite" in default["ENGINE"]
        and default.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE"
    ):
        found.append(Error("SQLite needs transaction_mode IMMEDIATE.", id="mailops.E011"))
    if "sqlite" in default["ENGINE"] and sqlite3.sqlite_version_info < (3, 38):
        hint = (
            f"This one is {sqlite3.sqlite_version}. A newer Python brings a newer SQLite, or use"
            " PostgreSQL."
        )
        found.append(
            Error(
                "The rules in the database need SQLite 3.38 or newer.", hint=hint, id="mailops.E013"
            )
        )
    if any(word in str(settings.CACHES["default"]["BACKEND"]) for word in ("locmem", "dummy")):
        found.append(Error("The cache must be shared by web and workers.", id="mailops.E012"))
    return found


LEAST_KEPT_DAYS = 90


@register
def check_history(**kwargs: Any) -> list[CheckMessage]:
    """Records that may still be needed stay where people look for them."""
    if not 0 < settings.HISTORY_KEEP_DAYS < LEAST_KEPT_DAYS:
        return []
    hint = f"Set it to {LEAST_KEPT_DAYS} or more, or to 0 to keep every record in the database."
    return [Error("HISTORY_KEEP_DAYS is too short.", hint=hint, id="mailops.E020")]


@register
def check_persons(**kwargs: Any) -> list[CheckMessage]:
    """Good to know for whoever starts it: nobody has to agree to a higher limit or a new key."""
    if not settings.ONE_PERSON:
        return []
    says = (
        "This installation is marked as one-person: limits, keys and roles change without a second"
        " person."
    )
    return [Info(says, hint="Unset MAILOPS_ONE_PERSON once there are two.", id="mailops.I001")]
