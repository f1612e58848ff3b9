"""gunicorn's settings: few processes, some threads, only errors in the log."""

import os

import django

from mailops.ops import start_rules

wsgi_app = "mailops.wsgi:application"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# longer than the slowest page, which reads from a vendor while a person waits
timeout = 90
# shorter than the supervisor's ten seconds, so that gunicorn ends its workers itself
graceful_timeout = 8
loglevel = os.environ.get("WEB_LOG_LEVEL", "warning")
# gunicorn's own remote control: not used, so not open
control_socket_disable = True


def on_starting(server: object) -> None:
    """Runs before the first worker: a database that nobody should work on is refused."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailops.settings")
    django.setup()
    start_rules.refuse()
