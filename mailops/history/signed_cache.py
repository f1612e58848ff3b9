"""Django's cache in a table of the database, whose values are signed JSON.

Django's own `DatabaseCache` unpickles what it reads, so that a writer to the table runs
code in the web process.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.signing import BadSignature, Signer
from django.db import connection
from django.utils import timezone

from mailops.history.audited_transactions import audited

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
READ = "SELECT value FROM {table} WHERE cache_key = %s AND expires > %s"
WRITE = (
    "INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s)"
    " ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires"
)
ADD = WRITE + " WHERE {table}.expires <= %s"
DELETE = "DELETE FROM {table} WHERE cache_key = %s"
EXPIRED = "DELETE FROM {table} WHERE expires <= %s"


class SignedCache(BaseDatabaseCache):
    """Values are what JSON can hold. One whose signature does not fit is not there.

    The signature covers the key, so that a row can't be moved to another one. Writes are audited
    transactions: a row that anybody else wrote leaves a trace.
    """

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        key = self.make_and_validate_key(key, version=version)
        with connection.cursor() as cursor:
            cursor.execute(self._sql(READ), [key, _stored(timezone.now())])
            row = cursor.fetchone()
        try:
            return _signer(key).unsign_object(row[0]) if row else default
        except (BadSignature, ValueError):
            return default

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        self._write(WRITE, self.make_and_validate_key(key, version=version), value, timeout)

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        key = self.make_and_validate_key(key, version=version)
        return self._write(ADD, key, value, timeout, _stored(timezone.now())) > 0

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._execute(DELETE, [self.make_and_validate_key(key, version=version)]) > 0

    def clear(self) -> None:
        self._execute("DELETE FROM {table}", [])

    def remove_expired(self) -> None:
        # Nothing else removes rows: what a page showed is kept for a week, however many there are.
        self._execute(EXPIRED, [_stored(timezone.now())])

    def _write(self, sql: str, key: str, value: Any, timeout: float | None, *more: Any) -> int:
        ends = self.get_backend_timeout(timeout)
        expires = FOREVER if ends is None else datetime.fromtimestamp(ends, UTC)
        signed = _signer(key).sign_object(value)
        return self._execute(sql, [key, signed, _stored(expires), *more])

    def _execute(self, sql: str, values: list[Any]) -> int:
        with audited(), connection.cursor() as cursor:
            cursor.execute(self._sql(sql), values)
            return int(cursor.rowcount)

    def _sql(self, sql: str) -> str:
        return sql.format(table=settings.CACHES["default"]["LOCATION"])


def remove_expired() -> None:
    cache = caches["default"]
    assert isinstance(cache, SignedCache)
    cache.remove_expired()


def _signer(key: str) -> Signer:
    return Signer(salt=f"mailops.cache {key}")


def _stored(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at.replace(microsecond=0))
