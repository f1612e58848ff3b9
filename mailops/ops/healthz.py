"""`/healthz`: one word for monitors, which have no account.

It tells nobody what is wrong, `manage.py health` does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from mailops.core import heartbeat

log = logging.getLogger("mailops.health")
PATIENCE = 4  # seconds that a monitor waits for the database
HOPELESS = 60  # seconds after which a look that got no answer is no longer waited for


class Probe(threading.Thread):
    """One look at the heartbeat on a connection of its own: a database that hangs can't be
    interrupted.
    """

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
        return self.is_alive() and time.monotonic() - self.began < HOPELESS


class Healthz:
    """Stands before redirects, sessions, users and host names, so that it answers when they can't."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._lock = threading.Lock()
        self._look: Probe | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # with a slash at its end it would lead to the log-in page, and a monitor would take that
        # for health
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
        """Many who ask at once share one look, so that strangers can't keep the database busy."""
        with self._lock:
            if self._look is None or not self._look.is_under_way:
                self._look = Probe()
                self._look.start()
            look = self._look
        look.join(PATIENCE)
        return not look.is_alive() and look.works
