"""Packs that somebody altered: the checker finds every change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.audit.evidence_pack import verify_pack
from tests.conftest import OrderFactory
from tests.orders.audit.packs import (
    Files,
    pack,
    packed,
    records,
    rehashed,
    resealed,
    unpacked,
    with_records,
)


def test_a_byte_is_altered(period: Files, told: Any) -> None:
    for name in set(period) - {"manifest.json"}:
        is_right, said = told(period | {name: period[name] + b" "})
        assert not is_right
        assert f"{name} was altered" in said


def test_a_file_is_added_or_taken_out(period: Files, told: Any) -> None:
    assert "more.txt is in the pack, but not in its manifest" in told(period | {"more.txt": b""})[1]
    for name in set(period) - {"manifest.json"}:
        is_right, said = told({other: data for other, data in period.items() if other != name})
        assert not is_right
        assert name in said


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("who", "mallory"),
        ("reason", "x"),
        ("at", "2020-01-01T00:00:00+00:00"),
        ("changes", {"x": 1}),
        ("user_id", 7),
    ],
)
def test_a_record_is_altered(period: Files, told: Any, field: str, value: Any) -> None:
    events = records(period)
    events[4][field] = value
    is_right, said = told(with_records(period, events))
    assert not is_right
    assert "Record 5 was altered" in said
    rehashed(events, 4)
    is_right, said = told(with_records(period, events))
    assert not is_right
    assert "Record 6 does not follow from record 5." in said


def test_records_are_dropped_or_moved(period: Files, told: Any) -> None:
    events = records(period)
    count = len(events)
    gone = [*events[:3], *events[4:]]
    assert "Record 4 is missing." in told(with_records(period, gone))[1]
    assert (
        f"There should be {count} records, but there are {count - 1}."
        in told(with_records(period, gone))[1]
    )
    assert (
        "Records 4 to 6 are missing." in told(with_records(period, [*events[:3], *events[6:]]))[1]
    )
    swapped = [events[1], events[0], *events[2:]]
    assert "Record 1 stands behind record 2" in told(with_records(period, swapped))[1]
    assert f"The last record should be {count}" in told(with_records(period, events[:-1]))[1]


def test_the_end_of_the_history_is_another(period: Files, told: Any) -> None:
    head = json.loads(period["manifest.json"])["head"]
    for other in ({**head, "hash": "0" * 64}, {**head, "number": 1}, {}, None):
        is_right, said = told(resealed(period, head=other))
        assert not is_right, other
        assert "end of the history" in said


def only_order(files: Files) -> tuple[str, dict[str, Any]]:
    about = json.loads(next(data for name, data in files.items() if name.startswith("orders/")))
    return about["order"], about


def altered_order(files: Files, **changed: Any) -> Files:
    name, about = only_order(files)
    return resealed(files | {f"orders/{name}.json": json.dumps(about | changed).encode()})


def test_what_was_confirmed_is_altered(period: Files, told: Any) -> None:
    name, about = only_order(period)
    snapshot, attempt = about["snapshot"], about["attempts"][0]
    other = snapshot | {"host": "https://elsewhere.example"}
    assert (
        f"What was confirmed of {name} was altered"
        in told(altered_order(period, snapshot=other))[1]
    )
    digest = verify_pack.hashed(
        {name: part for name, part in other.items() if name not in verify_pack.NOT_IN_DIGEST}
    )
    forged = altered_order(
        period, snapshot=other, digest=digest, attempts=[attempt | {"digest": digest}]
    )
    assert f"{name} was not confirmed with the digest that it carries" in told(forged)[1]
    assert "carries a digest, but" in told(altered_order(period, snapshot=None))[1]
    sent = altered_order(period, attempts=[attempt | {"body_sha256": "0" * 64}])
    assert f"Attempt 1 of {name} sent something else than its record says" in told(sent)[1]
    assert "is not the order that its name says" in told(altered_order(period, order="MO-7"))[1]


def test_of_one_order_the_attempts_and_the_state_are_those_of_its_records(
    factory: OrderFactory, told: Any
) -> None:
    files = unpacked(pack(factory.sent(word="accepted")))
    attempt = only_order(files)[1]["attempts"][0]
    other = altered_order(files, attempts=[attempt | {"digest": "0" * 64}])
    assert "has a digest with which the order was never confirmed" in told(other)[1]
    assert "its records end with “accepted”" in told(altered_order(files, state="cancelled"))[1]
    events = records(files)
    events[0]["subject_id"] = "77"
    assert "is not of this order" in told(with_records(files, events))[1]


def test_what_is_no_pack_at_all_gets_a_sentence(period: Files, told: Any, tmp_path: Path) -> None:
    whole = packed(period)
    for broken in (
        b"", b"no zip", whole[:-40], whole[: len(whole) // 2], packed({}), packed({"manifest.json": b"[]"}),
        packed(period | {"manifest.json": b"\xff{"}), packed(period | {"manifest.json": b"{}"}),
        packed(period | {"manifest.json": json.dumps({"format": verify_pack.FORMAT, "files": {"a": 1}}).encode()}),
        packed(resealed(period, records=None)), packed(resealed(period | {"records.jsonl": b"[" * 100_000})),
        packed(resealed(period | {"records.jsonl": b'{"number": "one"}\n'})),
        packed(resealed(period | {f"orders/{only_order(period)[0]}.json": b"7"})),
        packed(resealed(period, orders="x", head=[])),
        packed(altered_order(period, snapshot="x")), packed(altered_order(period, attempts={"a": 1})),
    ):  # fmt: skip
        is_right, said = told(broken)
        assert not is_right
        assert "This can't be checked" in said or "WRONG" in said


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_whatever_byte_is_flipped_it_shows(
    period: Files, told: Any, where: float, bits: int
) -> None:
    """In what the files say: the ZIP's own fields may carry things that nobody reads."""
    whole = b"".join(data for name, data in sorted(period.items()) if name != "manifest.json")
    at = int(where * len(whole))
    for name in sorted(set(period) - {"manifest.json"}):
        if at < len(period[name]):
            data = bytearray(period[name])
            data[at] ^= bits
            is_right, said = told(period | {name: bytes(data)})
            assert not is_right
            assert name in said
            return
        at -= len(period[name])
