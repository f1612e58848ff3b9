"""Packs for the tests: making, unpacking, altering and resealing them."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from django.utils import timezone

from orders.audit import evidence_pack
from orders.audit.evidence_pack import verify_pack
from orders.audit.evidence_pack.scope import Wanted
from orders.models import Order

Files = dict[str, bytes]


def pack(what: Order | None = None, **kwargs: Any) -> bytes:
    today = timezone.localdate()
    asked = Wanted(order=what) if what else Wanted(first=today, last=today, **kwargs)
    with evidence_pack.make(asked).file as file:
        return file.read()


def unpacked(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def resealed(files: Files, **manifest: Any) -> Files:
    """As a forger leaves it who knows of the manifest: every fingerprint made anew."""
    told = json.loads(files["manifest.json"]) | manifest
    told["files"] = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files.items()
        if name != "manifest.json"
    }
    return files | {"manifest.json": json.dumps(told).encode()}


def records(files: Files) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["records.jsonl"].decode().splitlines()]


def with_records(files: Files, events: list[dict[str, Any]], **manifest: Any) -> Files:
    text = "".join(f"{json.dumps(event)}\n" for event in events)
    return resealed(files | {"records.jsonl": text.encode()}, **manifest)


def rehashed(events: list[dict[str, Any]], at: int) -> None:
    """The record's own hash made anew after it was altered."""
    events[at]["hash"] = verify_pack.digest_of(events[at])


def stranger(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A Python without this project, its libraries and its environment."""
    return subprocess.run(
        [sys.executable, "-I", "-S", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={},
    )
