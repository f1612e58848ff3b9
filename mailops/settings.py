"""Settings from the environment. The defaults suit practice; unsafe live settings are refused."""

import os
import re
import secrets
import sys
from datetime import timedelta
from pathlib import Path

import environ  # type: ignore[import-untyped]
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from mailops.core import live_rules
from mailops.core.queue_names import ORDERS, QUESTIONS

os.umask(0o077)  # databases, digests and logs are for the process's own user
BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(env.path("MAILOPS_ENV_FILE", default=str(BASE_DIR / ".env"))())

# A live installation may hold live vendor accounts and must bring its own keys and database.
# The key that seals is made before any key is there.
IS_MAKING_KEY = sys.argv[1:2] == ["new_seal_key"]
LIVE = env.bool("MAILOPS_LIVE", default=False) and not IS_MAKING_KEY
# For an agency with one person: changes that otherwise need a second one are made at once, and the
# history says so.
ONE_PERSON = env.bool("MAILOPS_ONE_PERSON", default=False)
DATA_DIR = Path(env.str("MAILOPS_DATA", default=str(BASE_DIR / "var")))
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(
        f"MailOps can't make its data folder {DATA_DIR}: {error.strerror}. Set MAILOPS_DATA to one"
        " where it may write."
    ) from None


def _key(name: str, *, makes: str) -> str:
    """A key from the environment. A practice installation makes and keeps its own."""
    if IS_MAKING_KEY:
        return Fernet.generate_key().decode()
    if value := str(env.str(name, default="")):
        return value
    if LIVE:
        raise ImproperlyConfigured(f"Set {name}. {makes} MailOps does not start live without it.")
    path = DATA_DIR / f"{name.lower()}.practice"
    try:
        # A first start that was killed may have left an empty file.
        if not path.exists() or not path.read_text().strip():
            made = path.with_suffix(f".{os.getpid()}.part")
            made.touch(mode=0o600)
            is_seal = name == "MAILOPS_SEAL_KEYS"
            made.write_text(
                Fernet.generate_key().decode() if is_seal else secrets.token_urlsafe(50)
            )
            made.replace(path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"MailOps can't keep {path}: {error.strerror}. Is the disk full or read-only?"
        ) from None


DEBUG = env.bool("DEBUG", default=False)
if DEBUG and LIVE:
    raise ImproperlyConfigured(
        "DEBUG shows secrets in error pages. Turn it off, or turn MAILOPS_LIVE off."
    )
SECRET_KEY = _key("SECRET_KEY", makes="Any 50 random characters will do.")
# Newest first; older keys still open what they sealed. `manage.py reseal` seals everything with the
# first.
SEAL_KEYS = _key(
    "MAILOPS_SEAL_KEYS",
    makes="It seals vendor keys and passwords; make one with `manage.py new_seal_key`.",
).split(",")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if LIVE else ["localhost", "127.0.0.1", "[::1]"]
)
if LIVE and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS to the names under which people reach MailOps.")
if LIVE and (
    unsafe := live_rules.weak_secret_key(SECRET_KEY)
    or live_rules.broken_seal_key(SEAL_KEYS)
    or live_rules.open_host(ALLOWED_HOSTS)
):
    raise ImproperlyConfigured(unsafe)
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
    "mailops.proposals",
    "axes",
    "mailops.auth",
    "mailops.notices",
    "vendors",
    "orders",
]
MIDDLEWARE = [
    "mailops.middleware.ContentSecurityPolicy",
    "mailops.ops.healthz.Healthz",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mailops.history.middleware.RequestContext",
    "mailops.auth.middleware.SessionChecks",
    "axes.middleware.AxesMiddleware",
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
    raise ImproperlyConfigured(
        "Set DATABASE_URL, for example postgres://mailops:…@db.example.com/mailops."
    )
DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'mailops.sqlite3'}"
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# no transaction may stay open while a vendor answers
DATABASES["default"]["ATOMIC_REQUESTS"] = False
SQLITE_LIVE = env.bool("MAILOPS_SQLITE_LIVE", default=False)
if LIVE and "sqlite" in DATABASES["default"]["ENGINE"] and not SQLITE_LIVE:
    raise ImproperlyConfigured(
        "A live MailOps needs PostgreSQL. On one machine with a durable disk and backups it may use"
        " SQLite: set MAILOPS_SQLITE_LIVE=1 for that. docs/running.md says what is then missing."
    )
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: a committed "about to send" must survive a power cut
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    # A process that froze within a transaction holds the history's lock, for which everybody waits.
    # The server ends it.
    DATABASES["default"]["OPTIONS"].setdefault(
        "options", "-c idle_in_transaction_session_timeout=60s"
    )
# For tests alone: their PostgreSQL may forget everything in a power cut.
DISPOSABLE_DATABASE = not LIVE and env.bool("DISPOSABLE_DATABASE", default=False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared by web and workers: heartbeats, and the plans that people have seen.
CACHES = {
    "default": {
        "BACKEND": "mailops.history.signed_cache.SignedCache",
        "LOCATION": "mailops_cache",
        "TIMEOUT": 24 * 3600,
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        # so that one's name twice is too similar
        "OPTIONS": {"max_similarity": 0.6},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"

# Signing in: docs/running.md says what each setting does, docs/threat-model.md why.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "mailops.signin.Backend",
    "orders.review.delegations.Delegated",
]
SIGN_IN_TRIES = env.int("SIGN_IN_TRIES", default=5)
SIGN_IN_LOCK_MINUTES = env.int("SIGN_IN_LOCK_MINUTES", default=15)
AXES_FAILURE_LIMIT = SIGN_IN_TRIES
AXES_COOLOFF_TIME = timedelta(minutes=SIGN_IN_LOCK_MINUTES)
# lockout.py relies on this order
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "username", "ip_address"]
AXES_HANDLER = "mailops.auth.lockout.Handler"
AXES_LOCKOUT_CALLABLE = "mailops.auth.lockout.locked_page"
AXES_CLIENT_IP_CALLABLE = "mailops.auth.lockout.client_address"
AXES_RESET_ON_SUCCESS = True
# with True, a stranger who goes on trying could lock somebody out for ever
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the history has it
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
SECOND_FACTOR_ROLES = env.list(
    "SECOND_FACTOR_ROLES", default=["Confirmer", "Operator", "superuser"] if LIVE else []
)
SECOND_FACTOR_THROTTLE_SECONDS = 1  # then twice as long after each wrong code
# 0 never asks for the password again
FRESH_SIGN_IN_MINUTES = env.int("FRESH_SIGN_IN_MINUTES", default=15 if LIVE else 0)
SESSION_COOKIE_AGE = 3600 * env.int("SESSION_HOURS", default=12)
# 0 ends no session for being idle
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=60 if LIVE else 0)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# not Strict: a person who follows a notice's link would have to sign in again
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

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
# 5,000 of the longest lines come to 7 MB; files do not count
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if LIVE:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_SUBDOMAINS", default=True)
    # Browsers' built-in lists are hard to leave again, so a domain enters them only when asked to.
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
    # of this host alone, over HTTPS alone
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    if env.bool("BEHIND_HTTPS_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
TRUST_FORWARDED_FOR = env.bool("BEHIND_HTTPS_PROXY", default=False)
# each adds the address that it was called from
PROXIES_IN_FRONT = env.int("PROXIES_IN_FRONT", default=1)

# The paid POST. Deadline < queue time-out < queue retry; the lease is much longer than the queue's
# time-out. `mailops.checks` verifies that.
VENDOR_CONNECT_SECONDS = env.float("VENDOR_CONNECT_SECONDS", default=5)
VENDOR_READ_SECONDS = env.float("VENDOR_READ_SECONDS", default=30)
VENDOR_DEADLINE_SECONDS = env.float("VENDOR_DEADLINE_SECONDS", default=45)
VENDOR_MAX_BYTES = 1024 * 1024
VENDOR_READ_MAX_BYTES = 16 * 1024 * 1024
LEASE_SECONDS = env.int("LEASE_SECONDS", default=300)
CLAIM_FRESH_SECONDS = env.int("CLAIM_FRESH_SECONDS", default=10)
RING_AGAIN_SECONDS = env.int("RING_AGAIN_SECONDS", default=120)
LOOK_FRESH_SECONDS = env.int("LOOK_FRESH_SECONDS", default=300)
# older prices are read again before sending
PRICES_FRESH_SECONDS = env.int("PRICES_FRESH_SECONDS", default=300)
# an older answer that a name is free does not count
AVAILABILITY_FRESH_MINUTES = env.int("AVAILABILITY_FRESH_MINUTES", default=60)
# Vendors' own limits times this: 2 asks half as fast, where other programs use the same keys.
VENDOR_PACE = env.float("VENDOR_PACE", default=1)
# then MailOps stops sending to the account; 0 never stops it
UNKNOWN_IN_A_ROW = env.int("UNKNOWN_IN_A_ROW", default=3)
NOT_SENT_TRIES = env.int("NOT_SENT_TRIES", default=5)
PROGRESS_SECONDS = env.int("PROGRESS_SECONDS", default=15 if not LIVE else 300)
# how far back MailOps searches for an order that is nearly the same
NEAR_SAME_DAYS = env.int("NEAR_SAME_DAYS", default=30)
# A review and a confirmation expire after so many days without a decision; 0 for never.
REVIEW_DAYS = env.int("REVIEW_DAYS", default=14)
CONFIRMATION_DAYS = env.int("CONFIRMATION_DAYS", default=7)
QUEUE_WORKERS = env.int("QUEUE_WORKERS", default=4)
# accounts that may be asked about orders at a time
QUESTION_WORKERS = env.int("QUESTION_WORKERS", default=2)
# How many orders of one account may be on their way at a time, if its vendor sets no limit. One
# slow vendor must not take all the workers.
ACCOUNT_AT_ONCE = env.int("ACCOUNT_AT_ONCE", default=max(1, QUEUE_WORKERS // 2))
QUEUE_TIMEOUT = env.int("QUEUE_TIMEOUT", default=60)
QUEUE_RETRY = env.int("QUEUE_RETRY", default=600)
Q_CLUSTER = {
    "name": ORDERS,
    # The orders' own database: a queued task commits with its order or not at all
    "orm": "default",
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
    # A queue of its own for questions to vendors and for notices. A process started with
    # Q_CLUSTER_NAME=questions takes these tasks and no others.
    "ALT_CLUSTERS": {
        QUESTIONS: {"workers": QUESTION_WORKERS, "queue_limit": QUESTION_WORKERS},
    },
}
# A proposed change expires after so many days without a decision.
PROPOSAL_DAYS = env.int("PROPOSAL_DAYS", default=30)
# Notices. Without a mail server a practice installation writes its e-mails to files. A live one
# sends none, and says so.
NOTICES = env.bool("NOTICES", default=True)
MAIL_IS_SET = bool(env.str("EMAIL_URL", default="")) or not LIVE
if env.str("EMAIL_URL", default=""):
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default="MailOps <mailops@localhost>"
)
# The address at which people reach MailOps, for links in notices; without one they have no links.
MAILOPS_URL = env.str("MAILOPS_URL", default="").strip().rstrip("/")
if MAILOPS_URL and not re.fullmatch(
    "https://[^/?#@]+" if LIVE else "https?://[^/?#@]+", MAILOPS_URL
):
    raise ImproperlyConfigured(
        "MAILOPS_URL is the address people open, for example https://mailops.example.com."
    )
NOTICE_REMIND_HOURS = env.float("NOTICE_REMIND_HOURS", default=4)  # 0 never reminds
# schemes of Apprise that are allowed besides those of the well-known services
NOTICE_SCHEMES = env.list("NOTICE_SCHEMES", default=[])
# Prices older than this many days are marked on the cost sheet.
PRICES_OLD_DAYS = env.int("PRICES_OLD_DAYS", default=30)
# The currency in which totals are shown besides their own, at typed rates; empty for none.
REPORTING_CURRENCY = env.str("REPORTING_CURRENCY", default="").strip().upper()
if REPORTING_CURRENCY and not re.fullmatch("[A-Z]{3}", REPORTING_CURRENCY):
    raise ImproperlyConfigured(
        "REPORTING_CURRENCY is a three-letter code, for example EUR, or empty."
    )
# The history: digests of its last record outside the database, and how long records stay in it.
HISTORY_DIGEST_FILE = Path(
    env.str("HISTORY_DIGEST_FILE", default=str(DATA_DIR / "digests" / "history.jsonl"))
)
# The newest record at the last send from this host. A database that lacks it is a restored backup.
LAST_SENT_FILE = Path(env.str("LAST_SENT_FILE", default=str(DATA_DIR / "last-sent.json")))
HISTORY_DIGEST_TO = env.list("HISTORY_DIGEST_TO", default=[])  # addresses to which digests are sent
HISTORY_DIGEST_HOURS = env.int("HISTORY_DIGEST_HOURS", default=24)
HISTORY_DIGEST_RECORDS = env.int("HISTORY_DIGEST_RECORDS", default=1000)
HISTORY_ARCHIVE_DIR = Path(env.str("HISTORY_ARCHIVE_DIR", default=str(DATA_DIR / "archive")))
HISTORY_KEEP_DAYS = env.int("HISTORY_KEEP_DAYS", default=0)  # 0 keeps every record in the database
PRACTICE_URL = env.str("MAILOPS_PRACTICE_URL", default="http://127.0.0.1:8001")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"one_line": {"()": "mailops.core.log_lines.WithoutTraceback"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "plain"},
        "one_line": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["one_line"],
        },
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "mailops": {"level": "INFO"},
        "django-q": {"level": env.str("QUEUE_LOG_LEVEL", default="INFO")},
        "django.request": {"level": "ERROR"},  # a page that somebody may not open is no fault
        # anybody can ask with a wrong host or a made-up field
        "django.security": {"handlers": ["one_line"], "propagate": False},
        # at DEBUG urllib3 writes whole URLs, and one vendor takes its key in the URL
        "urllib3": {"level": "WARNING"},
        # the history has failed sign-ins, without all that was typed
        "axes": {"level": "ERROR"},
        # its lines contain addresses, and addresses contain tokens
        "apprise": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}
