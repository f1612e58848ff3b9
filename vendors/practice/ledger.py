"""The practice vendors' own ledger: charges, orders only created, refunds, acts, requests."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

CHARGED = "charged"
CREATED = "created, not charged"
MONEY, CREDIT = "money", "credit"  # the forms in which a refund comes
# The acts in the practice dashboard
PROCESS, DELIVER, CANCEL, REFUND, READS = "process", "deliver", "cancel", "refund", "reads"

TABLES = """
CREATE TABLE IF NOT EXISTS charges (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, vendor TEXT NOT NULL, account TEXT NOT NULL,
    request TEXT NOT NULL, reference TEXT NOT NULL, domains TEXT NOT NULL,
    mailboxes TEXT NOT NULL, details TEXT NOT NULL,
    body_sha256 TEXT NOT NULL, status TEXT NOT NULL, fault TEXT NOT NULL,
    amount TEXT NOT NULL DEFAULT '', currency TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS charges_of_account ON charges (vendor, account);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, vendor TEXT NOT NULL, account TEXT NOT NULL,
    path TEXT NOT NULL, domains TEXT NOT NULL, body_sha256 TEXT NOT NULL,
    outcome TEXT NOT NULL, fault TEXT NOT NULL, whole_sha256 TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS requests_with_body ON requests (vendor, account, body_sha256);
CREATE TABLE IF NOT EXISTS refunds (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, vendor TEXT NOT NULL, account TEXT NOT NULL,
    charge INTEGER NOT NULL REFERENCES charges (id), reference TEXT NOT NULL,
    domains TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL, kind TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS acts (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, act TEXT NOT NULL, vendor TEXT NOT NULL,
    account TEXT NOT NULL, charge INTEGER, domains TEXT NOT NULL, details TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS acts_of_account ON acts (vendor, account);
"""
# A ledger that an earlier release began has no such columns yet. What a charge of that time cost
# is not known, so its amount and currency are empty.
LATER_COLUMNS = (
    "requests ADD COLUMN whole_sha256 TEXT NOT NULL DEFAULT ''",
    "charges ADD COLUMN amount TEXT NOT NULL DEFAULT ''",
    "charges ADD COLUMN currency TEXT NOT NULL DEFAULT ''",
)


@dataclass(frozen=True, kw_only=True)
class Charge:
    """An order that a practice vendor took. Reads answer from `details`, which hold no secret.

    `amount` is what it costs at once, as decimal text: charged, or, where the order was only
    created, charged once it is processed.
    """

    id: int
    at: str
    vendor: str
    account: str
    request: str
    reference: str
    domains: list[str]
    mailboxes: list[str]
    details: dict[str, Any]
    body_sha256: str
    status: str
    fault: str
    amount: str
    currency: str


@dataclass(frozen=True, kw_only=True)
class Refund:
    """Money that a practice vendor gave back for one of its charges."""

    id: int
    at: str
    vendor: str
    account: str
    charge: int
    reference: str
    domains: list[str]
    amount: str
    currency: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that a person did in the practice dashboard, to an order or to a vendor.

    `domains` are those that it concerned, all of the order where none was named.
    """

    id: int
    at: str
    act: str
    vendor: str
    account: str
    charge: int | None
    domains: list[str]
    details: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A paid request that arrived whole. `domains` is empty for a request that was refused unread.

    `whole_sha256` is over its path, its query and its body, as the bytes arrived.
    """

    id: int
    at: str
    vendor: str
    account: str
    path: str
    domains: list[str]
    body_sha256: str
    outcome: str
    fault: str
    whole_sha256: str


def account_of(key: str) -> str:
    """The name of an account in the ledger: a short digest of its key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


class Ledger:
    """One SQLite file, safe to use from many threads and to read from other processes."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            self.path, timeout=20, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        # Survives a killed process, if not a power cut.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(TABLES)
        for column in LATER_COLUMNS:
            with suppress(sqlite3.OperationalError):
                self._db.execute(f"ALTER TABLE {column}")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        # Two orders for one domain at the same time must not both find the domain free.
        with self._lock:
            if self._db.in_transaction:  # a part of a larger one
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def record_charge(  # noqa: PLR0913  (one argument a column)
        self,
        *,
        vendor: str,
        account: str,
        request: str,
        reference: str,
        domains: Sequence[str],
        mailboxes: Sequence[str],
        details: Mapping[str, Any],
        body_sha256: str,
        status: str,
        fault: str,
        amount: Decimal,
        currency: str,
    ) -> None:
        lists = [json.dumps(value) for value in (domains, mailboxes, details)]
        row = (_now(), vendor, account, request, reference, *lists, body_sha256, status, fault)
        with self._lock:
            self._db.execute(
                "INSERT INTO charges (at, vendor, account, request, reference, domains, mailboxes,"
                " details, body_sha256, status, fault, amount, currency)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, _cents(amount), currency),
            )

    def record_refund(self, charge: Charge, *, amount: Decimal, kind: str = MONEY) -> None:
        """Give money back for a charge. ValueError for more than is left of it, or for nothing."""
        if kind not in (MONEY, CREDIT):
            raise ValueError(f"A refund comes as {MONEY} or as {CREDIT}, not as {kind!r}.")
        with self.transaction():
            found = self._rows("charges", {"id": charge.id, "status": CHARGED})
            if not found or not found[0]["currency"]:
                raise ValueError("Nothing was charged for that order, as far as is known.")
            back = sum(
                (Decimal(row["amount"]) for row in self._rows("refunds", {"charge": charge.id})),
                Decimal(0),
            )
            left = Decimal(found[0]["amount"]) - back
            if not 0 < amount <= left:
                raise ValueError(f"Of that charge {left} {found[0]['currency']} can come back.")
            row = (charge.vendor, charge.account, charge.id, charge.reference)
            self._db.execute(
                "INSERT INTO refunds (at, vendor, account, charge, reference, domains, amount,"
                " currency, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    _now(),
                    *row,
                    json.dumps(charge.domains),
                    _cents(amount),
                    found[0]["currency"],
                    kind,
                ),
            )

    def record_processing(self, charge: Charge) -> None:
        """Charge an order that was only created, from now on. ValueError for any other."""
        with self._lock:
            done = self._db.execute(
                "UPDATE charges SET status = ?, at = ? WHERE id = ? AND status = ?",
                (CHARGED, _now(), charge.id, CREATED),
            )
        if not done.rowcount:
            raise ValueError("That order was processed already.")

    def record_act(
        self,
        act: str,
        *,
        vendor: str,
        account: str = "",
        charge: int | None = None,
        domains: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        row = (_now(), act, vendor, account, charge, json.dumps(domains), json.dumps(details or {}))
        with self._lock:
            self._db.execute(
                "INSERT INTO acts (at, act, vendor, account, charge, domains, details)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def record_arrival(
        self,
        *,
        vendor: str,
        account: str,
        path: str,
        domains: Sequence[str],
        body_sha256: str,
        whole_sha256: str,
        outcome: str,
        fault: str,
    ) -> None:
        with self._lock:
            self._db.execute(
                "INSERT INTO requests (at, vendor, account, path, domains, body_sha256, outcome,"
                " fault, whole_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    _now(),
                    vendor,
                    account,
                    path,
                    json.dumps(domains),
                    body_sha256,
                    outcome,
                    fault,
                    whole_sha256,
                ),
            )

    def has_seen(self, *, vendor: str, account: str, body_sha256: str) -> bool:
        same = self._rows(
            "requests", {"vendor": vendor, "account": account, "body_sha256": body_sha256}, limit=1
        )
        return bool(same)

    def charges(
        self, *, vendor: str | None = None, account: str | None = None, domain: str | None = None
    ) -> list[Charge]:
        """Orders that were charged, newest first."""
        return self._charges({"vendor": vendor, "account": account, "status": CHARGED}, domain)

    def created(
        self, *, vendor: str | None = None, account: str | None = None, domain: str | None = None
    ) -> list[Charge]:
        """Orders that were only created, newest first."""
        return self._charges({"vendor": vendor, "account": account, "status": CREATED}, domain)

    def refunds(
        self, *, vendor: str | None = None, account: str | None = None, domain: str | None = None
    ) -> list[Refund]:
        """Money that was given back, newest first."""
        rows = self._rows("refunds", {"vendor": vendor, "account": account}, domain)
        return [Refund(**row | {"domains": json.loads(row["domains"])}) for row in rows]

    def acts(
        self,
        *,
        act: str | None = None,
        vendor: str | None = None,
        account: str | None = None,
        domain: str | None = None,
        limit: int = -1,
    ) -> list[Act]:
        """Acts in the practice dashboard, newest first."""
        where = {"act": act, "vendor": vendor, "account": account}
        rows = self._rows("acts", where, domain, limit)
        lists = ("domains", "details")
        return [Act(**row | {name: json.loads(row[name]) for name in lists}) for row in rows]

    def requests(self, *, vendor: str | None = None, domain: str | None = None) -> list[Arrival]:
        """Paid requests that arrived, newest first."""
        rows = self._rows("requests", {"vendor": vendor}, domain)
        return [Arrival(**row | {"domains": json.loads(row["domains"])}) for row in rows]

    def books(self, domain: str | None = None) -> dict[str, list[dict[str, Any]]]:
        return {
            "charges": [asdict(row) for row in self.charges(domain=domain)],
            "created": [asdict(row) for row in self.created(domain=domain)],
            "refunds": [asdict(row) for row in self.refunds(domain=domain)],
            "acts": [asdict(row) for row in self.acts(domain=domain)],
            "requests": [asdict(row) for row in self.requests(domain=domain)],
        }

    def _charges(self, where: Mapping[str, str | None], domain: str | None) -> list[Charge]:
        lists = ("domains", "mailboxes", "details")
        rows = self._rows("charges", where, domain)
        return [Charge(**row | {name: json.loads(row[name]) for name in lists}) for row in rows]

    def _rows(
        self,
        table: str,
        where: Mapping[str, str | int | None],
        domain: str | None = None,
        limit: int = -1,
    ) -> list[dict[str, Any]]:
        wanted = {name: value for name, value in where.items() if value is not None}
        tests = [f"{name} = ?" for name in wanted]
        if domain is not None:
            tests.append("EXISTS (SELECT 1 FROM json_each(domains) AS one WHERE one.value = ?)")
        # Only our own names are put into the text; values are parameters.
        sql = f"SELECT * FROM {table} WHERE {' AND '.join(tests) or '1'} ORDER BY id DESC LIMIT ?"  # noqa: S608
        values = [*wanted.values(), *([domain.lower()] if domain is not None else []), limit]
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, values)]


def _cents(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _now() -> str:
    return datetime.now(UTC).isoformat()
