"""Runs all processes of MailOps: `python -m mailops.supervisor`."""

from __future__ import annotations

import argparse
import errno
import http.client
import os
import socket
import sys
from collections.abc import Sequence
from datetime import datetime

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from mailops.core import heartbeat
from mailops.core.queue_names import ORDERS, QUESTIONS
from mailops.ops import running_lock, start_rules
from mailops.ops.processes import BASE_DIR, Child, Supervisor, say

MANAGE = (sys.executable, str(BASE_DIR / "manage.py"))
QUEUE = (*MANAGE, "qcluster")
ASKS = "question worker"
ANY = "0.0.0.0"  # noqa: S104  (compared with, not bound to)
DESCRIPTION = (
    "`python -m mailops.supervisor`: everything that MailOps needs running, or with `--only worker`"
    " just that."
)
PREPARE = (("migrate", "--noinput"), ("collectstatic", "--noinput"))


def number(name: str, default: int) -> int:
    """A whole number from the environment. Exits if the text there is none."""
    value = os.environ.get(name, str(default))
    if not value.isdecimal():
        sys.exit(f"{name} must be a whole number, not “{value}”.")
    return int(value)


def is_free(host: str, port: int) -> bool:
    """True if a server could listen there now. Exits if none ever can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            # a port over 65535 raises OverflowError, which has no `errno`
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                return False
            sys.exit(f"MailOps can't listen on {host}, port {port}: {error}.")
        return True


def refuse_taken_ports(*places: tuple[str, int]) -> None:
    """Exit with a sentence that names the taken port and a free one."""
    # before the children start, which would say it in a traceback
    for host, port in places:
        if not is_free(host, port):
            other = next(
                n
                for n in range(8010, 65000, 10)
                if all(is_free(at, n + i) for i, (at, _) in enumerate(places))
            )
            sys.exit(
                f"Port {port} is taken by another program. Start MailOps on another one: make run"
                f" PORT={other}"
            )


def accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def answers(host: str, port: int) -> bool:
    """True if the log-in page comes without a server error."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def last_beat(name: str) -> datetime | None:
    if not apps.ready:
        django.setup()
    try:
        return heartbeat.last_beat(QUESTIONS if name == ASKS else ORDERS)
    # at once, so that no child inherits the connection
    finally:
        connections.close_all()


def child(name: str, *, practice_port: int) -> Child:
    if name == "web":
        return Child(
            name, (sys.executable, "-m", "gunicorn", "-c", "python:mailops.gunicorn"), grace=10
        )
    if name == "worker":
        grace = number("STOP_SECONDS", 210)
        return Child(name, QUEUE, grace=grace, beats=True, env={"Q_CLUSTER_NAME": ORDERS})
    if name == ASKS:
        # questions are short, and one that is cut off is asked again
        grace = min(number("STOP_SECONDS", 210), 30)
        return Child(name, QUEUE, grace=grace, beats=True, env={"Q_CLUSTER_NAME": QUESTIONS})
    # stopped last: an order in flight may wait for an answer of a practice vendor
    return Child(
        name, (*MANAGE, "practice_vendors", "--port", str(practice_port)), grace=10, last=True
    )


def prepare(supervisor: Supervisor) -> None:
    """Update database, cache table and static files. Exits with the output of a failed step."""
    for command in PREPARE:
        code, output = supervisor.step((*MANAGE, *command))
        if supervisor.stopping:
            sys.exit(0)
        if code:
            sys.exit(
                f"{output}\nMailOps is not ready to start: `manage.py {command[0]}` failed, see"
                " above."
            )


def announce(supervisor: Supervisor, address: str, *, demo: bool) -> None:
    """Add the demo data if asked to, then print the address."""
    if demo:
        code, output = supervisor.step((*MANAGE, "demo"))
        if output:
            say(output)
        if code:
            say("The demo data could not be made, see above. MailOps runs without it.")
    if not supervisor.stopping:
        say(f"MailOps is ready: {address}  (Ctrl-C stops everything)")


def run_everything(supervisor: Supervisor, *, port: int, practice_port: int, live: bool) -> None:
    """Prepare, then run all parts until a stop signal."""
    host = os.environ.get("HOST", "127.0.0.1")
    near = "127.0.0.1" if host == ANY else host
    # practice vendors and demo data are not for live use
    practice = [] if live else [("127.0.0.1", practice_port)]
    lock = running_lock.take(settings.DATA_DIR, address=f"http://{near}:{port}/")
    refuse_taken_ports((host, port), *practice)
    # a line for every task is too much at a terminal
    os.environ.setdefault("QUEUE_LOG_LEVEL", "WARNING")
    prepare(supervisor)
    supervisor.is_ready = lambda: answers(near, port) and all(accepts(*place) for place in practice)
    supervisor.on_ready = lambda: announce(supervisor, f"http://{near}:{port}/", demo=not live)
    with lock:
        supervisor.run()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m mailops.supervisor", description=DESCRIPTION)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=("web", "worker", "practice"),
        help="run just these, prepare nothing",
    )
    only = parser.parse_args(arguments).only
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailops.settings")
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    try:
        # before the ports: reading the settings also reads .env, where ports may stand
        live = settings.LIVE
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    port = number("PORT", 8000)
    practice_port = number("PRACTICE_PORT", port + 1)
    names = only or (["worker", "web"] if live else ["practice", "worker", "web"])
    # a worker is two processes: one for orders, one for questions to vendors and notices
    names = [part for name in names for part in ([name, ASKS] if name == "worker" else [name])]
    children = [child(name, practice_port=practice_port) for name in names]
    supervisor = Supervisor(children, last_beat=last_beat, stale=number("HEARTBEAT_STALE", 300))
    django.setup()
    start_rules.refuse()
    supervisor.listen()
    if only:
        supervisor.run()
    else:
        os.environ.setdefault("MAILOPS_PRACTICE_URL", f"http://127.0.0.1:{practice_port}")
        if not live:
            os.environ.setdefault("MAILOPS_URL", f"http://127.0.0.1:{port}")
        run_everything(supervisor, port=port, practice_port=practice_port, live=live)


if __name__ == "__main__":
    main()
