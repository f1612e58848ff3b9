"""Evidence packs, checked by a program alone, in a Python that knows nothing of MailOps."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from mailops.history.models import Event
from orders.audit import evidence_pack
from orders.audit.evidence_pack import scope, verify_pack
from orders.audit.evidence_pack.scope import TooMuch, Wanted
from orders.models import Client, Departure, Domain, Order
from orders.outcomes import refund_records, settlement
from orders.outcomes.refund_records import Said
from tests.conftest import OrderFactory, fresh
from tests.orders.audit.packs import pack, records, stranger, unpacked
from tests.orders.pages import browser
from tests.orders.spending.counting import one_left_out
from tests.test_secrets import HOSTING, KEY, PASSWORDS, leaks
from tests.test_secrets import keys as keys
from vendors.models import Vendor

PAGE = "/orders/order/evidence/"


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


def test_money_back_and_departures_are_in_it(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    today = timezone.localdate()
    departure = Departure.objects.create(
        vendor=order.vendor, reason="never_came", on=today, note="It never came.", by_name="ann"
    )
    Domain.objects.filter(order=order, name="acme.com").update(state="gone", departure=departure)
    said = Said(state="got", amount=Decimal(13), currency="USD", on=today, note="Ticket 7.")
    refund_records.say(order.pk, said, by=factory.people.confirmer)
    files = unpacked(pack(order))
    about = json.loads(files[f"orders/{order}.json"])
    (refund,) = about["refunds"]
    assert (refund["state"], refund["amount"], refund["note"]) == ("got", "13.00", "Ticket 7.")
    (gone,) = about["departures"]
    assert (gone["reason_shown"], gone["domains"]) == ("It never came", ["acme.com"])
    page = files["index.html"].decode()
    assert "Confirmed: $48.00. Counts, less what was left out: $32.00" in page
    assert "13.00 USD, got as money" in page
    assert "(acme.com)" in page


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
