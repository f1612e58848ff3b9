"""Settings: all from the environment, safe for practice by default, refusing to start unsafe in production."""

import re
import secrets
from pathlib import Path

import environ  # type: ignore[import-untyped]
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(env.path("MAILOPS_ENV_FILE", default=str(BASE_DIR / ".env"))())

# The one switch: a live installation may hold live vendor accounts and must bring its own keys and database.
LIVE = env.bool("MAILOPS_LIVE", default=False)
DATA_DIR = Path(env.str("MAILOPS_DATA", default=str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _key(name: str, *, makes: str) -> str:
    """A key from the environment; a practice installation makes its own once and keeps it beside its data."""
    if value := str(env.str(name, default="")):
        return value
    if LIVE:
        raise ImproperlyConfigured(f"Set {name}. {makes} MailOps does not start live without it.")
    path = DATA_DIR / f"{name.lower()}.practice"
    if not path.exists():
        path.touch(mode=0o600)
        if name == "MAILOPS_SEAL_KEYS":
            from cryptography.fernet import Fernet

            path.write_text(Fernet.generate_key().decode())
        else:
            path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


DEBUG = env.bool("DEBUG", default=False)
if DEBUG and LIVE:
    raise ImproperlyConfigured("DEBUG shows secrets in error pages. Turn it off, or turn MAILOPS_LIVE off.")
SECRET_KEY = _key("SECRET_KEY", makes="Any 50 random characters will do.")
# Newest first; older keys still open what they sealed. `manage.py reseal` moves everything to the first.
SEAL_KEYS = _key(
    "MAILOPS_SEAL_KEYS", makes="It seals vendor keys and passwords; make one with `manage.py new_seal_key`."
).split(",")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if LIVE else ["localhost", "127.0.0.1", "[::1]"])
if LIVE and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS to the names under which people reach MailOps.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "mailops.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "mailops.apps.MailOpsConfig",
    "mailops.history",
    "vendors",
    "orders",
]
MIDDLEWARE = [
    "mailops.middleware.ContentSecurityPolicy",
    "mailops.healthz.Healthz",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mailops.history.middleware.RequestContext",
]
ROOT_URLCONF = "mailops.urls"
WSGI_APPLICATION = "mailops.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

if LIVE and not env.str("DATABASE_URL", default=""):
    raise ImproperlyConfigured("Set DATABASE_URL, for example postgres://mailops:…@db.example.com/mailops.")
DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'mailops.sqlite3'}"
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["ATOMIC_REQUESTS"] = False  # no transaction may stay open across a vendor's answer
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: a committed "about to send" must survive a power cut
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    # A process that froze within a transaction holds the history's lock, and with it everybody's: the server ends it.
    DATABASES["default"]["OPTIONS"].setdefault("options", "-c idle_in_transaction_session_timeout=60s")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared by web and workers: worker heartbeats and the plans that people have seen.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "mailops_cache",
        "TIMEOUT": 24 * 3600,
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["mailops.signin.Backend"]
LOGIN_URL = "admin:login"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = False
DATE_FORMAT, DATETIME_FORMAT, TIME_FORMAT = "j M Y", "j M Y, H:i", "H:i"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024  # the longest 5,000 lines come to 7 MB; files do not count
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if LIVE:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_SUBDOMAINS", default=True)
    if env.bool("BEHIND_HTTPS_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
TRUST_FORWARDED_FOR = env.bool("BEHIND_HTTPS_PROXY", default=False)

# The paid POST. Deadline < queue time-out < queue retry; a lease outlives the queue's time-out by far.
VENDOR_CONNECT_SECONDS = env.float("VENDOR_CONNECT_SECONDS", default=5)
VENDOR_READ_SECONDS = env.float("VENDOR_READ_SECONDS", default=30)
VENDOR_DEADLINE_SECONDS = env.float("VENDOR_DEADLINE_SECONDS", default=45)
VENDOR_MAX_BYTES = 1024 * 1024
VENDOR_READ_MAX_BYTES = 16 * 1024 * 1024
LEASE_SECONDS = env.int("LEASE_SECONDS", default=300)
CLAIM_FRESH_SECONDS = env.int("CLAIM_FRESH_SECONDS", default=10)
RING_AGAIN_SECONDS = env.int("RING_AGAIN_SECONDS", default=120)
LOOK_FRESH_SECONDS = env.int("LOOK_FRESH_SECONDS", default=300)
PRICES_FRESH_SECONDS = env.int("PRICES_FRESH_SECONDS", default=300)  # older ones are read again before sending
AVAILABILITY_FRESH_MINUTES = env.int("AVAILABILITY_FRESH_MINUTES", default=60)  # how long “free” is gone by
# Vendors' own limits times this: 2 asks half as fast, where other programs use the same keys.
VENDOR_PACE = env.float("VENDOR_PACE", default=1)
UNKNOWN_IN_A_ROW = env.int("UNKNOWN_IN_A_ROW", default=3)  # then the account stops itself; 0 never stops it
NOT_SENT_TRIES = env.int("NOT_SENT_TRIES", default=5)
PROGRESS_SECONDS = env.int("PROGRESS_SECONDS", default=15 if not LIVE else 300)
NEAR_SAME_DAYS = env.int("NEAR_SAME_DAYS", default=30)  # how far back an order that is nearly the same is looked for
QUEUE_WORKERS = env.int("QUEUE_WORKERS", default=4)
# How many orders of one account may be on their way at a time, where its vendor sets no limit of its own: one slow
# vendor must not take all the workers.
ACCOUNT_AT_ONCE = env.int("ACCOUNT_AT_ONCE", default=max(1, QUEUE_WORKERS // 2))
QUEUE_TIMEOUT = env.int("QUEUE_TIMEOUT", default=60)
QUEUE_RETRY = env.int("QUEUE_RETRY", default=600)
Q_CLUSTER = {
    "name": "mailops",  # also the queue's signing salt: never change it with tasks queued
    "orm": "default",  # the orders' own database: a queued task commits with its order or not at all
    "workers": QUEUE_WORKERS,
    "queue_limit": QUEUE_WORKERS,
    "bulk": 1,
    "timeout": QUEUE_TIMEOUT,
    "retry": QUEUE_RETRY,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "poll": env.float("QUEUE_POLL", default=0.2),
    "guard_cycle": 0.5,
    "recycle": 500,
    "max_rss": 300_000,  # KB
    "compress": False,
    "cached": False,
    "sync": False,
    "cache": "default",
    "log_level": "INFO",
    "label": "Queue",
}
# Prices older than this many days are marked on the cost sheet.
PRICES_OLD_DAYS = env.int("PRICES_OLD_DAYS", default=30)
# The one currency in which totals are shown besides their own, at typed rates; empty for none.
REPORTING_CURRENCY = env.str("REPORTING_CURRENCY", default="").strip().upper()
if REPORTING_CURRENCY and not re.fullmatch("[A-Z]{3}", REPORTING_CURRENCY):
    raise ImproperlyConfigured("REPORTING_CURRENCY is a three-letter code, for example EUR, or empty.")
PRACTICE_URL = env.str("MAILOPS_PRACTICE_URL", default="http://127.0.0.1:8001")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "mailops": {"level": "INFO"},
        "django-q": {"level": env.str("QUEUE_LOG_LEVEL", default="INFO")},
        "django.request": {"level": "ERROR"},  # a page that somebody may not open is no fault
        # at DEBUG urllib3 writes whole URLs, and one vendor takes its key in the URL
        "urllib3": {"level": "WARNING"},
    },
}
