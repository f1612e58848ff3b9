"""Settings for the tests: the project's own, with a data folder of their own and what only costs
time turned down.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("MAILOPS_DATA", tempfile.mkdtemp(prefix="mailops-tests-"))
os.environ.setdefault("MAILOPS_ENV_FILE", os.devnull)

from mailops.settings import *  # noqa: F403
from mailops.settings import DATA_DIR, DATABASES

(Path(DATA_DIR) / "static").mkdir(exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # a file, so that threads and processes meet in it as they do in production
    DATABASES["default"]["TEST"] = {"NAME": str(Path(DATA_DIR) / "test.sqlite3")}
DISPOSABLE_DATABASE = True  # `.ci/run` starts PostgreSQL with fsync=off
VENDOR_CONNECT_SECONDS = 1
VENDOR_READ_SECONDS = 1.5
VENDOR_DEADLINE_SECONDS = 2
VENDOR_PACE = 0.01
AXES_ENABLED = False  # tests of the doors turn it on
