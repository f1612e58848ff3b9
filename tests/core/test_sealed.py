"""Secrets at rest: opened by any key of the list, sealed by the first, stamped anew only when a
value is new.
"""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError

from mailops.core.sealed import CannotOpen, Sealed
from tests.conftest import OrderFactory
from vendors.models import Vendor

VALUES = {"api_key": "key (1)", "hosting_password": 'pä55 "word" 🙂'}


@pytest.fixture
def keys(settings: Any) -> list[str]:
    """Three fresh keys; the first is in use."""
    made = [Fernet.generate_key().decode() for _ in range(3)]
    settings.SEAL_KEYS = made[:1]
    return made


def test_what_is_sealed_opens_as_it_was(keys: list[str]) -> None:
    text = str(Sealed("").put(VALUES))
    assert Sealed(text).open() == VALUES
    assert Sealed(text).names == VALUES.keys()


def test_the_stored_text_shows_names_and_nothing_else(keys: list[str]) -> None:
    text = str(Sealed("").put(VALUES))
    assert set(json.loads(text)) == set(VALUES)
    assert not [value for value in VALUES.values() if value in text or json.dumps(value) in text]


def test_the_same_value_is_sealed_differently_each_time(keys: list[str]) -> None:
    assert str(Sealed("").put(VALUES)) != str(Sealed("").put(VALUES))


def test_nothing_sealed_is_an_empty_text(keys: list[str]) -> None:
    assert str(Sealed("")) == ""
    assert str(Sealed("").put({"api_key": ""})) == ""
    assert Sealed("").open() == {}


def test_a_stamp_changes_with_a_new_value_only(keys: list[str], settings: Any) -> None:
    first = str(Sealed("").put(VALUES))
    kept = Sealed(first).put({"api_key": "", "hosting_password": ""})
    assert str(kept) == first
    settings.SEAL_KEYS = [keys[1], keys[0]]
    assert Sealed(first).reseal().stamps == Sealed(first).stamps
    again = Sealed(first).put({"api_key": "key (1)"})  # the same value, entered again
    assert again.stamps["api_key"] != Sealed(first).stamps["api_key"]
    assert again.stamps["hosting_password"] == Sealed(first).stamps["hosting_password"]


def test_a_dropped_secret_is_gone(keys: list[str]) -> None:
    assert Sealed(str(Sealed("").put(VALUES).drop("api_key", "never there"))).names == {
        "hosting_password"
    }


# Keys come and go


def test_an_older_key_still_opens_and_the_newest_seals(keys: list[str], settings: Any) -> None:
    old = str(Sealed("").put(VALUES))
    settings.SEAL_KEYS = [keys[1], keys[0]]
    assert Sealed(old).open() == VALUES
    new = str(Sealed("").put(VALUES))
    settings.SEAL_KEYS = [keys[1]]
    assert Sealed(new).open() == VALUES
    with pytest.raises(CannotOpen, match="enter the secret again"):
        Sealed(old).open()


def test_resealing_lets_the_old_key_go(keys: list[str], settings: Any) -> None:
    text = str(Sealed("").put(VALUES))
    settings.SEAL_KEYS = [keys[1], keys[0]]
    text = str(Sealed(text).reseal())
    settings.SEAL_KEYS = [keys[1]]
    assert Sealed(text).open() == VALUES


def test_without_its_key_nothing_opens_or_moves(keys: list[str], settings: Any) -> None:
    sealed = Sealed(str(Sealed("").put(VALUES)))
    settings.SEAL_KEYS = keys[1:]
    for act in (sealed.open, sealed.reseal):
        with pytest.raises(CannotOpen) as refused:
            act()
        assert "k-1" not in str(refused.value)


def test_a_tampered_secret_does_not_open(keys: list[str]) -> None:
    stored = json.loads(str(Sealed("").put({"api_key": "key (1)"})))
    token = stored["api_key"]["token"]
    stored["api_key"]["token"] = token[:-4] + ("AAA=" if token[-4:] != "AAA=" else "BBB=")
    with pytest.raises(CannotOpen):
        Sealed(json.dumps(stored)).open()


@pytest.mark.parametrize("key", ["", "short", "not base64 at all!!", "A" * 44])
def test_something_that_is_no_key_is_named_as_the_setting(settings: Any, key: str) -> None:
    settings.SEAL_KEYS = [key]
    with pytest.raises(ImproperlyConfigured, match="MAILOPS_SEAL_KEYS"):
        Sealed("").put(VALUES)


# The commands


def test_a_new_key_is_one_that_seals(settings: Any) -> None:
    output = StringIO()
    call_command("new_seal_key", stdout=output)
    settings.SEAL_KEYS = [output.getvalue().strip()]
    assert Sealed(str(Sealed("").put(VALUES))).open() == VALUES


def test_the_reseal_command_moves_accounts_and_orders(
    factory: OrderFactory, settings: Any, keys: list[str]
) -> None:
    for vendor in Vendor.objects.all():
        vendor.sealed = str(Sealed("").put({"api_key": f"practice-{vendor.api}"}))
        vendor.save()
    order = factory.draft("scaledmail", "package", secrets={"hosting_password": "pw-one-two"})
    stamps = Sealed(order.sealed).stamps
    settings.SEAL_KEYS = [keys[1], keys[0]]
    output = StringIO()
    call_command("reseal", stdout=output)
    assert "5 rows are sealed with the newest key" in output.getvalue()
    settings.SEAL_KEYS = [keys[1]]
    order.refresh_from_db()
    assert Sealed(order.sealed).open() == {"hosting_password": "pw-one-two"}
    assert Sealed(order.sealed).stamps == stamps
    for vendor in Vendor.objects.all():
        assert vendor.secrets.open() == {"api_key": f"practice-{vendor.api}"}


def test_the_reseal_command_moves_all_or_nothing(
    factory: OrderFactory, settings: Any, keys: list[str]
) -> None:
    first, *others = Vendor.objects.order_by("pk")
    first.sealed = str(Sealed("").put({"api_key": "key (1)"}))
    first.save()
    settings.SEAL_KEYS = [keys[1], keys[0]]  # the others' key is not among them
    before = list(Vendor.objects.values_list("sealed", flat=True))
    with pytest.raises(CommandError, match="can't be opened"):
        call_command("reseal")
    assert list(Vendor.objects.values_list("sealed", flat=True)) == before
    assert len(others) == 3
