"""The vendor gets the bytes that the confirmer saw."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlsplit

import pytest

from mailops.core.sealed import Sealed
from orders import submission
from orders.audit.evidence_pack.verify_pack import NOT_IN_DIGEST
from orders.models import Confirmation
from orders.plan import Plan
from orders.plan import digest_of as digest_of_plan
from tests.conftest import PRODUCTS, OrderFactory, fresh
from tests.orders.pages import browser, url
from vendors.practice.server import Practice

pytestmark = pytest.mark.usefixtures("quiet")


def on_the_wire(shown: Plan, secrets: dict[str, str]) -> bytes:
    """Where the shown request goes and its body, as bytes, with the secrets in the places of their
    placeholders.
    """
    prepared = shown.request.prepare(shown.host, secrets)
    where = urlsplit(prepared.url)
    target = f"{where.path}?{where.query}" if where.query else where.path
    return target.encode() + b"\n" + (prepared.body or b"")


@pytest.mark.parametrize("key", PRODUCTS)
def test_what_arrives_at_the_vendor_is_what_the_page_showed(
    factory: OrderFactory, practice: Practice, key: tuple[str, str]
) -> None:
    """One digest on the page, the confirmation, the order and the attempt; and the bytes that it
    stands for arrived.
    """
    order = factory.reviewed(*key)
    confirmer = browser(factory.people.confirmer)
    page = confirmer.get(url(order, "confirm"))
    digest = page.context["plan"].digest
    assert f'value="{digest}"' in page.content.decode()
    confirmer.post(url(order, "confirm"), {"digest": digest})
    submission.submit(order.pk)
    order = fresh(order)
    attempt = order.attempts.get()
    assert [Confirmation.objects.get().digest, order.digest, attempt.digest] == [digest] * 3
    assert (
        digest_of_plan(
            {name: part for name, part in order.snapshot.items() if name not in NOT_IN_DIGEST}
        )
        == digest
    )
    secrets = order.vendor.secrets.open() | Sealed(order.sealed).open()
    assert not [value for value in secrets.values() if value in json.dumps(order.snapshot)]
    (arrived,) = practice.ledger.requests()
    assert (
        page.context["plan"].request.as_dict() == order.snapshot["request"]
    )  # PostgreSQL keeps no order of keys
    wire = on_the_wire(page.context["plan"], secrets)
    assert arrived.whole_sha256 == hashlib.sha256(wire).hexdigest()
    assert (
        arrived.body_sha256
        == attempt.body_sha256
        == hashlib.sha256(wire.partition(b"\n")[2]).hexdigest()
    )
