"""`python -m mailops.supervisor`: everything that MailOps needs running, or with `--only worker`
just that.
"""

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

from mailops.ops.processes import BASE_DIR, Child, Supervisor, say

MANAGE = (sys.executable, str(BASE_DIR / "manage.py"))
ANY = "0.0.0.0"  # noqa: S104  (compared with, not bound to)
PREPARE = (("migrate", "--noinput"), ("createcachetable",), ("collectstatic", "--noinput"))


def number(name: str, default: int) -> int:
    """A whole number from the environment."""
    value = os.environ.get(name, str(default))
    if not value.isdecimal():
        sys.exit(f"{name} must be a whole number, not “{value}”.")
    return int(value)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                return False
            sys.exit(f"MailOps can't listen on {host}, port {port}: {error}.")
        return True


def refuse_taken_ports(*places: tuple[str, int]) -> None:
    """Say in one sentence which port is taken and which would do, before a child says it in a
    traceback.
    """
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
    """Whether anything listens there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def answers(host: str, port: int) -> bool:
    """Whether the log-in page comes without a server error."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def last_beat() -> datetime | None:
    """The worker's heartbeat, read on a connection of its own: the children must not inherit one."""
    if not apps.ready:
        django.setup()
    from mailops.core import heartbeat

    try:
        return heartbeat.last_beat()
    finally:
        connections.close_all()


def child(name: str, *, practice_port: int) -> Child:
    """How each part of MailOps is started, and how many seconds it gets to stop."""
    if name == "web":
        return Child(
            name, (sys.executable, "-m", "gunicorn", "-c", "python:mailops.gunicorn"), grace=10
        )
    if name == "worker":
        return Child(name, (*MANAGE, "qcluster"), grace=number("STOP_SECONDS", 210), beats=True)
    # last: an order in flight may be waiting for its answer
    return Child(
        name, (*MANAGE, "practice_vendors", "--port", str(practice_port)), grace=10, last=True
    )


def prepare(supervisor: Supervisor) -> None:
    """Bring database, cache table and static files up to date; stop with the output of what failed."""
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
    """Fill an empty practice installation with demo people and orders, then tell where everything
    is.
    """
    if demo:
        code, output = supervisor.step((*MANAGE, "demo"))
        if output:
            say(output)
        if code:
            say("The demo data could not be made, see above. MailOps runs without it.")
    if not supervisor.stopping:
        say(f"MailOps is ready: {address}  (Ctrl-C stops everything)")


def run_everything(supervisor: Supervisor, *, port: int, practice_port: int, live: bool) -> None:
    """Prepare, run all parts, and say so once they answer.

    The practice vendors and the demo are not for live use.
    """
    host = os.environ.get("HOST", "127.0.0.1")
    near = "127.0.0.1" if host == ANY else host
    practice = [] if live else [("127.0.0.1", practice_port)]
    refuse_taken_ports((host, port), *practice)
    os.environ.setdefault(
        "QUEUE_LOG_LEVEL", "WARNING"
    )  # at a terminal every task in the log is too much
    prepare(supervisor)
    supervisor.is_ready = lambda: answers(near, port) and all(accepts(*place) for place in practice)
    supervisor.on_ready = lambda: announce(supervisor, f"http://{near}:{port}/", demo=not live)
    supervisor.run()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m mailops.supervisor", description=__doc__)
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
        live = settings.LIVE  # reading the settings reads .env too, where the ports may stand
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    port = number("PORT", 8000)
    practice_port = number("PRACTICE_PORT", port + 1)
    names = only or (["worker", "web"] if live else ["practice", "worker", "web"])
    children = [child(name, practice_port=practice_port) for name in names]
    supervisor = Supervisor(children, last_beat=last_beat, stale=number("HEARTBEAT_STALE", 300))
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
