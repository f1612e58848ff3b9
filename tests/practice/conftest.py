"""Practice vendors in this process, with no waiting, and one valid order of every kind."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from vendors.practice.server import Pace, Practice, start

KEY = "practice-key"
PATHS = {
    "cmr domains": "/coldmailreseller/api/v1/integration/orders/json",
    "cmr mailboxes": "/coldmailreseller/api/v1/integration/orders/create-mailbox-order/json",
    "scaledmail": "/scaledmail/api/v1/create-order/price_practice_google_1",
    "woodpecker": "/woodpecker/rest/v2/domains/mailboxes/order",
    "smartsenders": "/smartsenders/api/v1/smart-senders/place-order",
    "smartsenders by address": "/smartsenders/api/v1/smart-senders/place-order",
}
CONTACT = {
    "email": "ann@agency.com",
    "firstName": "Ann",
    "lastName": "Lee",
    "company": "",
    "country": "US",
    "city": "Austin",
    "addressLineOne": "1 Main St",
    "postalCode": "73301",
    "state": "TX",
    "phoneCc": "1",
    "phone": "5125550100",
    "languagePreference": "en",
}


def headers_of(kind: str, key: str = KEY) -> dict[str, str]:
    auth = {
        "cmr": {"cmr-x-api-key": key},
        "scaledmail": {"Authorization": f"Bearer {key}"},
        "woodpecker": {"x-api-key": key},
    }.get(kind.split()[0], {})
    return {**auth, "Content-Type": "text/plain" if kind == "scaledmail" else "application/json"}


def query_of(kind: str, key: str = KEY) -> dict[str, str]:
    return {
        "cmr": {"userId": "user-1"},
        "scaledmail": {"organization_id": "recOrg", "provider": "scaledmail"},
        "smartsenders": {"api_key": key},
    }.get(kind.split()[0], {})


def body_of(kind: str, domain: str) -> Any:
    person = {"username": "ann", "firstName": "Ann", "lastName": "Lee"}
    return copy.deepcopy(
        {
            "cmr domains": {
                "domains": [{"domain": domain, "years": 1}],
                "mailboxes": {domain: [person]},
                "billingCycle": "MONTHLY",
                "confirm": True,
                "serviceProvider": "GOOGLE",
                "google": {"clientId": "id", "appName": "App"},
                "autoRenew": False,
            },
            "cmr mailboxes": {
                "subscriptionId": "SUB-1",
                "mailboxes": {domain: [person]},
                "confirm": True,
            },
            "scaledmail": {
                "domains": [{"domain": domain, "first_name": "Ann", "last_name": "Lee"}]
            },
            "woodpecker": {
                "mailboxes": [{"first_name": "Ann", "last_name": "Lee", "email": f"ann@{domain}"}]
            },
            "smartsenders": {
                "vendor_id": 9,
                "domains": [
                    {
                        "domain_name": domain,
                        "mailbox_details": [
                            {"mailbox": f"ann@{domain}", "first_name": "Ann", "last_name": "Lee"}
                        ],
                    }
                ],
                "forwarding_domain": "agency.com",
                "user_details": CONTACT,
            },
            "smartsenders by address": {
                "vendor_id": 1,
                "domains": [{"domain_name": domain, "mailboxes": [f"ann@{domain}"]}],
                "forwarding_domain": "agency.com",
                "user_details": {"name": "Ann Lee"},
            },
        }[kind]
    )


def woodpecker_order(domain: str) -> bytes:
    """The bytes of a valid request."""
    body = (
        b'{"mailboxes":[{"first_name":"Ann","last_name":"Lee","email":"ann@%b"}]}' % domain.encode()
    )
    return (
        b"POST /woodpecker/rest/v2/domains/mailboxes/order HTTP/1.1\r\nx-api-key: practice-1\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


class Client:
    """Sends orders and questions to one running set of practice vendors."""

    def __init__(self, server: Practice) -> None:
        self.server = server
        self.ledger = server.ledger

    def order(
        self, kind: str, domain: str = "acme.com", *, key: str = KEY, **changed: Any
    ) -> requests.Response:
        """Place the valid order of this kind; `changed` replaces path, query, headers, body, method
        or time-out.
        """
        body = changed.get("body", body_of(kind, domain))
        return requests.request(
            changed.get("method", "POST"),
            self.server.url + changed.get("path", PATHS[kind]),
            params=changed.get("query", query_of(kind, key)),
            headers=changed.get("headers", headers_of(kind, key)),
            data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            timeout=changed.get("timeout", 30),
            allow_redirects=changed.get("allow_redirects", False),
            stream=changed.get("stream", False),
        )

    def read(self, kind: str, path: str, *, key: str = KEY, **query: str) -> requests.Response:
        always = {"cmr": {}, "smartsenders": {"api_key": key}}.get(kind, {})
        return requests.get(
            f"{self.server.url}/{path}",
            params={**always, **query},
            headers=headers_of(kind, key),
            timeout=30,
        )


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Start practice vendors on this test's ledger, as often as wanted."""
    running: list[Practice] = []

    def start_one(**pace: float) -> Client:
        chosen = Pace(**{"delivery": 0, "slow": 0, "drip": 0.001, "silence": 30, **pace})
        running.append(start(ledger=tmp_path / "practice.sqlite3", pace=chosen))
        return Client(running[-1])

    yield start_one
    for server in running:
        server.stop()


@pytest.fixture
def vendors(run: Callable[..., Client]) -> Client:
    return run()


@pytest.fixture(params=list(PATHS))
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the five paid requests, and the second form of the last."""
    return str(request.param)


@pytest.fixture
def new_body() -> Callable[[str, str], Any]:
    return body_of


@pytest.fixture
def valid_headers() -> Callable[..., dict[str, str]]:
    return headers_of


@pytest.fixture
def valid_query() -> Callable[..., dict[str, str]]:
    return query_of
