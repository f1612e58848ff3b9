"""Makes a pack: a ZIP that is written piece by piece, so that its size is not bound by memory."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from mailops.core import csv_safe
from mailops.history import record
from mailops.history.models import Event
from orders.audit.evidence_pack import page, tables, verify_pack
from orders.audit.evidence_pack.contents import as_json, order_as_dict, record_as_dict
from orders.audit.evidence_pack.scope import Scope, Wanted, of_order

IN_MEMORY = 1024 * 1024  # bytes of one file, before it goes to the disk
CHUNK = 500  # records that are read at a time


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished pack, recorded in the history."""

    file: IO[bytes]  # at its start; the caller closes it
    name: str
    manifest_sha256: str  # hex
    records: int
    orders: int


class Spools:
    """Files of a pack that are written at the same time, before they go into the ZIP."""

    # A ZIP takes one file after the other.

    def __init__(self) -> None:
        self._files: dict[str, IO[bytes]] = {}

    def write(self, name: str, text: str) -> None:
        if name not in self._files:
            self._files[name] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (closed by `close`)
        self._files[name].write(text.encode())

    def rows(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        for piece in csv_safe.lines(rows):
            self.write(name, piece)

    def into(self, pack: Pack) -> None:
        for name, file in self._files.items():
            file.seek(0)
            with pack.open(name) as to:
                shutil.copyfileobj(file, to)
            file.close()


class _Hashing:
    """A file in the ZIP. Its fingerprint is stored in the pack when it is closed."""

    def __init__(self, pack: Pack, name: str) -> None:
        self._pack, self._name = pack, name
        self._file, self._hash = pack.zip.open(name, "w"), hashlib.sha256()

    def __enter__(self) -> _Hashing:
        return self

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self._pack.fingerprints[self._name] = self._hash.hexdigest()


class Pack:
    """The ZIP that is being written, with the fingerprints of its files so far."""

    def __init__(self, file: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.fingerprints: dict[str, str] = {}

    def open(self, name: str) -> _Hashing:
        return _Hashing(self, name)

    def add(self, name: str, text: str) -> None:
        with self.open(name) as file:
            file.write(text.encode())


def make(wanted: Wanted, *, by: User | None = None) -> Made:
    """Make the pack and record that. Raises `TooMuch` or `Moving`, and then records nothing."""
    scope = wanted.scope()
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
    try:
        manifest = _write(Pack(file), wanted, scope, by=by)
        return _recorded(file, manifest, wanted, by=by)
    except BaseException:
        file.close()
        raise


def _write(pack: Pack, wanted: Wanted, scope: Scope, *, by: User | None) -> dict[str, Any]:
    """Write all files. Returns the manifest with its own fingerprint under "sha256"."""
    spools, at = Spools(), timezone.now()
    for name, heading in tables.HEADINGS.items():
        spools.write(name, csv_safe.BOM)
        spools.rows(name, [heading])
    about = {
        "wanted": wanted,
        "scope": scope,
        "made_at": at,
        "by": by,
        "practice": not settings.LIVE,
    }
    spools.write(page.NAME, render_to_string("evidence/head.html", about))
    for pk in scope.orders:
        last = _order(pack, spools, pk)
        # An order's records end where its contents were read, or the two would not agree.
        if wanted.order:
            scope = of_order(wanted.order, until=last)
    # Read before the records: every record of the pack is checked against this end.
    head = Event.objects.order_by("-number").values("number", "hash").first()
    _records(pack, spools, scope)
    spools.write(page.NAME, render_to_string("evidence/foot.html", about))
    spools.into(pack)
    pack.add(verify_pack.ITSELF, Path(verify_pack.__file__).read_text(encoding="utf-8"))
    pack.add("README.txt", render_to_string("evidence/readme.txt", about))
    manifest = _manifest(pack, wanted, scope, at=at, by=by) | {"head": head}
    # The manifest comes last: it names the fingerprints of all other files.
    text = as_json(manifest, indent=2)
    pack.add(verify_pack.MANIFEST, text)
    pack.zip.close()
    return manifest | {"sha256": pack.fingerprints[verify_pack.MANIFEST]}


def _manifest(
    pack: Pack, wanted: Wanted, scope: Scope, *, at: datetime, by: User | None
) -> dict[str, Any]:
    return {
        "format": verify_pack.FORMAT,
        "made_at": at.isoformat(timespec="seconds"),
        "made_by": by.get_username() if by else "",
        "about": str(wanted),
        "practice": not settings.LIVE,
        "order": wanted.order.pk if wanted.order else None,
        "orders": len(scope.orders),
        "records": {
            "first": scope.first,
            "last": scope.last,
            "count": scope.count,
            "whole_stretch": wanted.order is None,
        },
        "files": dict(pack.fingerprints),
    }


def _order(pack: Pack, spools: Spools, pk: int) -> int:
    """Write an order's files. Returns the number of its last record."""
    content = order_as_dict(pk)
    pack.add(f"{verify_pack.ORDERS}{content['order']}.json", as_json(content, indent=2))
    for name, rows in tables.of_order(content).items():
        spools.rows(name, rows)
    spools.write(page.NAME, page.of_order(content))
    return int(content["last_record"] or 0)


def _records(pack: Pack, spools: Spools, scope: Scope) -> None:
    # The page shows the first records only: a browser can't show a large period.
    shown = 0
    with pack.open(verify_pack.RECORDS) as file:
        spools.write(page.NAME, page.before_records(scope))
        for some in _chunks(scope):
            for event in some:
                file.write(f"{as_json(record_as_dict(event))}\n".encode())
            spools.rows(tables.RECORDS, map(tables.record_row, some))
            if shown < page.MOST_RECORDS:
                spools.write(page.NAME, page.records(some))
                shown += len(some)
        spools.write(page.NAME, page.after_records(scope, shown))


def _chunks(scope: Scope) -> Iterable[list[Event]]:
    # By number instead of an offset, which gets slower with every chunk.
    at = scope.first
    while some := list(scope.events.filter(number__gte=at).order_by("number")[:CHUNK]):
        yield some
        at = some[-1].number + 1


def _recorded(
    file: IO[bytes], manifest: dict[str, Any], wanted: Wanted, *, by: User | None
) -> Made:
    changes = {
        "manifest_sha256": [None, manifest["sha256"]],
        "about": [None, str(wanted)],
        "records": [None, manifest["records"]],
        "orders": [None, manifest["orders"]],
        "head": [None, manifest["head"]],
    }
    # A pack of a period has no row as its subject.
    about: dict[str, Any] = {}
    if wanted.order is None:
        about = {"subject_type": "history.event", "subject_text": f"Records of {wanted}"}
    # Recorded before anybody gets the file.
    with transaction.atomic():
        record("evidence.exported", wanted.order, by=by, changes=changes, **about)
    file.seek(0)
    day = timezone.localdate()
    return Made(
        file=file,
        name=f"mailops-evidence-{wanted.slug}-made-{day}.zip",
        manifest_sha256=manifest["sha256"],
        records=manifest["records"]["count"],
        orders=manifest["orders"],
    )


def made_here(fingerprint: str) -> Event | None:
    """The record of the pack whose manifest has this fingerprint. None if there is none."""
    wanted = fingerprint.strip().lower()
    return Event.objects.filter(
        action="evidence.exported", changes__manifest_sha256__1=wanted
    ).first()
