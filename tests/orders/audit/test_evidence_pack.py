"""Evidence packs, checked as a stranger checks them: by a program alone, in a Python that knows
nothing of MailOps.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailops.history.models import Event
from orders.audit import evidence_pack
from orders.audit.evidence_pack import scope, verify_pack
from orders.audit.evidence_pack.scope import TooMuch, Wanted
from orders.models import Client, Order
from orders.outcomes import settlement
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser
from tests.test_secrets import HOSTING, KEY, PASSWORDS, leaks
from tests.test_secrets import keys as keys
from vendors.models import Vendor

PAGE = "/orders/order/evidence/"
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


@pytest.fixture
def told(tmp_path: Path) -> Callable[[bytes | Files], tuple[bool, str]]:
    """What the program says of a pack, and whether it found all in order."""

    def say(data: bytes | Files) -> tuple[bool, str]:
        path, said = tmp_path / "pack.zip", []
        path.write_bytes(packed(data) if isinstance(data, dict) else data)
        return verify_pack.run(path, said.append), "\n".join(said)

    return say


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


# Packs that are in order


def test_a_stranger_unpacks_it_and_finds_all_in_order(
    factory: OrderFactory, tmp_path: Path
) -> None:
    order = factory.sent(word="accepted")
    with zipfile.ZipFile(io.BytesIO(pack(order))) as archive:
        archive.extractall(tmp_path / "pack")
    done = stranger("verify.py", folder=tmp_path / "pack")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Everything in this pack fits." in done.stdout
    assert (
        f"{order}: what was confirmed has the digest that the order carries, and so has each"
        in done.stdout
    )
    (tmp_path / "pack" / "orders" / f"{order}.json").write_text("{}")
    done = stranger("verify.py", folder=tmp_path / "pack")
    assert (done.returncode, done.stderr) == (1, "")
    assert f"orders/{order}.json was altered" in done.stdout


def test_the_file_is_checked_without_unpacking_it(factory: OrderFactory, tmp_path: Path) -> None:
    factory.sent("scaledmail", "package")
    draft = factory.draft(word="draft")
    (tmp_path / "p.zip").write_bytes(pack())
    program = str(Path(verify_pack.__file__).resolve())
    done = stranger(program, "p.zip", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    count = Event.objects.count() - 1  # the last is that the pack was made
    assert (
        f"Right: {count} records follow from one another, from 1 to {count}, with none left out"
        in done.stdout
    )
    assert f"{draft} was not confirmed, so there is nothing to compare." in done.stdout
    assert (
        stranger(program, "no.zip", folder=tmp_path).stdout
        == "This can't be checked. There is no no.zip.\n"
    )


@pytest.mark.parametrize("word", ["cut-after", "refused-field", "busy"])
def test_whatever_became_of_an_order_its_pack_is_in_order(
    factory: OrderFactory, told: Any, word: str
) -> None:
    order = factory.sent(word=word)
    assert told(pack(order))[0], told(pack(order))[1]


def test_a_pack_of_an_order_that_was_settled_and_confirmed_again(
    factory: OrderFactory, told: Any
) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, settlement.NOT_PLACED)
    factory.confirm(fresh(order))
    is_right, said = told(pack(order))
    assert is_right, said


def test_what_is_told_of_an_order(factory: OrderFactory) -> None:
    order = factory.sent(word="accepted")
    files = unpacked(pack(order))
    about = json.loads(files[f"orders/{order}.json"])
    assert (about["drafted_by_name"], about["edited_by"], about["confirmed_by_name"]) == (
        "drafter", ["drafter"], "confirmer",
    )  # fmt: skip
    assert [box["address"] for domain in about["contents"] for box in domain["mailboxes"]] == [
        "dana@accepted.com", "sam@accepted.com",
    ]  # fmt: skip
    attempt = about["attempts"][0]
    assert (attempt["stage"], attempt["reply_status"]) == ("accepted", 202)
    assert attempt["digest"] == about["digest"] == order.digest
    assert about["snapshot"]["request"]["headers"]["x-api-key"].startswith("«")
    assert [event["action"] for event in records(files)][:2] == [
        "order.drafted",
        "order.sent_for_confirmation",
    ]
    page = files["index.html"].decode()
    assert "<script" not in page
    assert f"{order}: " in page
    assert "Confirmed by" in page
    rows = list(csv.reader(io.StringIO(files["contents.csv"].decode("utf-8-sig"))))
    assert [row[5] for row in rows[1:]] == ["dana@accepted.com", "sam@accepted.com"]


def test_no_cell_of_its_tables_runs_as_a_formula(factory: OrderFactory) -> None:
    order = factory.draft()
    Order.objects.filter(pk=order.pk).update(note="=1+1", why_again="@SUM(A1)")
    rows = list(csv.reader(io.StringIO(unpacked(pack(order))["orders.csv"].decode("utf-8-sig"))))
    assert rows[1][-2:] == ["'=1+1", "'@SUM(A1)"]


def test_what_people_typed_is_no_markup_on_its_page(factory: OrderFactory) -> None:
    order = factory.draft()
    Order.objects.filter(pk=order.pk).update(note="<script>alert(1)</script>")
    assert b"<script" not in unpacked(pack(order))["index.html"]


def test_no_key_and_no_password_is_in_it(factory: OrderFactory, keys: None) -> None:
    for vendor in Vendor.objects.all():
        assert vendor.secrets.open()["api_key"] == KEY
    factory.sent("scaledmail", "package", options=HOSTING, secrets=PASSWORDS)
    factory.sent("smartsenders", "domains", word="accepted")
    data = pack()
    sealed = [
        entry["token"]
        for order in Order.objects.exclude(sealed="")
        for entry in json.loads(order.sealed).values()
    ]
    assert sealed
    for name, text in unpacked(data).items():
        assert not leaks(text.decode()), name
        assert not [token for token in sealed if token in text.decode()], name


def test_that_it_was_made_stands_in_the_history_with_its_fingerprint(factory: OrderFactory) -> None:
    order = factory.draft()
    made = evidence_pack.make(Wanted(order=order), by=factory.people.auditor)
    event = Event.objects.latest("number")
    assert (event.action, event.who, event.subject) == ("evidence.exported", "auditor", str(order))
    manifest = unpacked(made.file.read())["manifest.json"]
    assert event.changes["manifest_sha256"] == [None, hashlib.sha256(manifest).hexdigest()]
    assert event.changes["head"] == [None, json.loads(manifest)["head"]]
    made.file.close()


# Packs that somebody altered


@pytest.fixture
def period(factory: OrderFactory) -> Files:
    """A period with a sent order in it."""
    factory.sent(word="accepted")
    return unpacked(pack())


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
    digest = verify_pack.hashed({name: part for name, part in other.items() if name != "sources"})
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


# How much fits, and who may


def test_a_client_and_an_account_choose_the_orders_but_not_the_records(
    factory: OrderFactory, told: Any
) -> None:
    factory.draft(word="one")
    factory.draft("scaledmail", "package")
    other = Client.objects.exclude(name="Northwind").first()
    for chosen, count in (({"vendor": factory.accounts["scaledmail"]}, 1), ({"client": other}, 0)):
        files = unpacked(pack(**chosen))
        assert len([name for name in files if name.startswith("orders/")]) == count
        assert len(records(files)) >= 2
        assert told(files)[0], told(files)[1]


def test_more_than_fits_is_said_with_what_to_do(
    factory: OrderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.draft(word="one")
    factory.draft(word="two")
    before = Event.objects.count()
    monkeypatch.setattr(scope, "MOST_EVENTS", 1)
    with pytest.raises(TooMuch, match=r"one pack takes 1\. Choose a shorter period"):
        pack()
    monkeypatch.setattr(scope, "MOST_EVENTS", 100)
    monkeypatch.setattr(scope, "MOST_ORDERS", 1)
    with pytest.raises(TooMuch, match="That is 2 orders, and one pack takes 1"):
        pack()
    assert Event.objects.count() == before


def test_the_page_shows_what_will_be_in_it_and_makes_it(factory: OrderFactory, told: Any) -> None:
    order = factory.sent(word="accepted")
    auditor = browser(factory.people.auditor)
    before = Event.objects.count()
    shown = auditor.get(PAGE, {"order": str(order)})
    assert b"What will be in it" in shown.content
    assert Event.objects.count() == before
    answer = auditor.post(PAGE, {"order": str(order)})
    assert answer["Content-Disposition"].startswith(
        f'attachment; filename="mailops-evidence-{order}-'
    )
    assert told(b"".join(answer.streaming_content))[0]
    assert Event.objects.latest("number").who == "auditor"
    assert (
        f"{PAGE}?order={order}" in auditor.get(f"/orders/order/{order.pk}/change/").content.decode()
    )
    assert (
        PAGE
        not in browser(factory.people.confirmer)
        .get(f"/orders/order/{order.pk}/change/")
        .content.decode()
    )


def test_a_fingerprint_tells_whether_a_pack_was_made_here(factory: OrderFactory) -> None:
    made = evidence_pack.make(Wanted(order=factory.draft()), by=factory.people.auditor)
    auditor, before = browser(factory.people.auditor), Event.objects.count()
    yes = auditor.get(PAGE, {"fingerprint": f" {made.manifest_sha256.upper()}\n"}).content.decode()
    assert f'<a href="/history/event/{before}/change/">Record {before}</a>: auditor made it' in yes
    assert "No record says so." in auditor.get(PAGE, {"fingerprint": "0" * 64}).content.decode()
    assert auditor.get(PAGE, {"fingerprint": "abc"}).status_code == 400
    assert Event.objects.count() == before
    made.file.close()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"order": "MO-9999"}, "There is no order MO-9999"),
        ({"order": "x"}, "There is no order X"),
        ({"first": "2026-11-02", "last": "2026-11-01"}, "This is before the first day."),
        ({"first": "2026-11-02"}, "Give both days"),
        ({"first": "0001-01-01", "last": "0001-01-02"}, "Give the year with four digits"),
        (
            {"first": "2001-01-01", "last": "2001-01-02"},
            "There is no record in the history for this.",
        ),
    ],
)
def test_what_can_not_be_made_is_said_on_the_page(
    factory: OrderFactory, typed: dict[str, str], says: str
) -> None:
    answer = browser(factory.people.auditor).post(PAGE, typed)
    assert answer.status_code == 400
    assert says in answer.content.decode()


def test_the_command_writes_the_same(factory: OrderFactory, told: Any, tmp_path: Path) -> None:
    order = factory.draft()
    out = tmp_path / "of-it.zip"
    call_command("export_evidence", "--order", str(order), "--out", str(out))
    assert told(out.read_bytes())[0]
    assert Event.objects.latest("number").who.endswith("(command line)")
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_evidence", "--order", str(order), "--out", str(out))
    with pytest.raises(CommandError, match="both --from and --to"):
        call_command("export_evidence", "--from", "2026-01-01", "--out", str(tmp_path / "b.zip"))
