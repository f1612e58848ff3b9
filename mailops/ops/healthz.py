"""`/healthz`: one word for monitors, without a login. `manage.py health` says what is wrong."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from mailops.core import heartbeat

log = logging.getLogger("mailops.health")
MAX_WAIT_SECONDS = 4  # for one monitor's answer
PROBE_SECONDS = 60  # then a probe that got no answer from the database counts as lost


class Probe(threading.Thread):
    """Reads the heartbeat once, on a connection of its own."""

    # a thread, because a query to a database that hangs can't be interrupted

    def __init__(self) -> None:
        super().__init__(name="healthz", daemon=True)
        self.works = False
        self.began = time.monotonic()

    def run(self) -> None:
        try:
            self.works = heartbeat.status().works
        except Exception as error:
            log.warning("The heartbeat can't be read: %s", heartbeat.first_line(error))
        finally:
            connection.close()

    @property
    def is_under_way(self) -> bool:
        return self.is_alive() and time.monotonic() - self.began < PROBE_SECONDS


class Healthz:
    """Middleware that answers `/healthz` before any other middleware can fail."""

    # before redirects, sessions, users and host names: all of them may need the database

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._lock = threading.Lock()
        self._probe: Probe | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # with a slash at the end Django would answer with the log-in page, which a monitor would
        # take for health
        if request.path_info not in ("/healthz", "/healthz/"):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            response: HttpResponse = HttpResponseNotAllowed(
                ["GET", "HEAD"], content_type="text/plain"
            )
        elif self._works():
            response = HttpResponse("ok\n", content_type="text/plain")
        else:
            response = HttpResponse("not ok\n", content_type="text/plain", status=503)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _works(self) -> bool:
        # Requests at the same time share a probe, so that strangers can't keep the database busy.
        with self._lock:
            if self._probe is None or not self._probe.is_under_way:
                self._probe = Probe()
                self._probe.start()
            probe = self._probe
        probe.join(MAX_WAIT_SECONDS)
        return not probe.is_alive() and probe.works
