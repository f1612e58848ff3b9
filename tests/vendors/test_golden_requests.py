"""Each request against the sample on the vendor's own page:

`pages/` holds the samples as the pages print them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vendors.orders import StubContact, StubOrder, domain, mailbox
from vendors.apis import REGISTRY
from vendors.http import Request

PAGES = Path(__file__).parent / "pages"
GOOGLE = {
    "google_oauth_route": "https://accounts.google.com/o/oauth2/v2/auth/oauthchooseaccount?access_type=offline...",
    "google_client_id": "549360251880-maeh4okn7btu9cjtf0l2bt1t5b22sbf8.apps.googleusercontent.com",
    "google_app_name": "Outreach App",
}
STATUE = (
    "https://unsplash.com/photos/a-white-sculpture-is-shown-against-a-white-background-As9ruviI79Q"
)
TREE = "https://unsplash.com/photos/a-blurry-image-of-a-tree-outside-of-a-window-8NIxpSFzzg8"


def page(name: str) -> dict[str, Any]:
    """A page's sample with every JSON object as a plain dict, which keeps the order of its keys."""
    return json.loads((PAGES / f"{name}.json").read_text())


def in_order(value: Any) -> Any:
    """Objects as lists of pairs, so that comparing sees the order of keys."""
    if isinstance(value, dict):
        return [(key, in_order(item)) for key, item in value.items()]
    return [in_order(item) for item in value] if isinstance(value, list) else value


def assert_like_page(api: str, request: Request, sample: dict[str, Any], **secrets: str) -> None:
    assert request.method == sample["method"]
    assert REGISTRY[api].host + request.path == sample["url"]
    assert [name for name, _ in request.query] == sample["query"]
    prepared = request.prepare(REGISTRY[api].host, secrets)
    assert list(prepared.headers.items()) == list(sample["headers"].items())
    assert prepared.body is not None
    assert in_order(json.loads(prepared.body)) == in_order(sample["body"])


def test_coldmailreseller_domains() -> None:
    sample = page("coldmailreseller-domains")
    # The page prints one mailbox twice. An address exists once, so the second is email2 here.
    sample["body"]["mailboxes"]["domain.com"][1]["username"] = "email2"
    order = StubOrder(
        product="domains",
        settings={"user_id": "user-1"},
        options={"confirm": False, "service_provider": "GOOGLE", "auto_renew": False, **GOOGLE},
        contents=(
            domain(
                "domain.com",
                mailbox("email1@domain.com", name="john doe", picture=STATUE),
                mailbox("email2@domain.com", name="john doe", picture=STATUE),
                forward_to="coldmailreseller.com",
            ),
        ),
    )
    request = REGISTRY["coldmailreseller"].order_request(order)
    assert_like_page("coldmailreseller", request, sample, api_key="<api-key>")
    assert request.query == (("userId", "user-1"),)


def test_coldmailreseller_domains_for_microsoft_have_a_route_and_no_google_block() -> None:
    order = StubOrder(
        product="domains",
        options={
            "service_provider": "MICROSOFT",
            "microsoft_oauth_route": "https://login.example",
            **GOOGLE,
        },
        contents=(domain("domain.com", years=2),),
    )
    body = REGISTRY["coldmailreseller"].order_request(order).body
    assert body["microsoftOauthRoute"] == "https://login.example"
    assert body["serviceProvider"] == "MICROSOFT"
    assert "google" not in body
    assert body["domains"] == [{"domain": "domain.com", "years": 2}]
    assert body["mailboxes"] == {}


def center(**options: Any) -> StubOrder:
    return StubOrder(
        product="mailboxes",
        settings={"user_id": "user-1"},
        options={"confirm": False, **GOOGLE, **options},
        contents=(
            domain("center.org", mailbox("email1@center.org", name="john doe", picture=TREE)),
        ),
    )


def test_coldmailreseller_mailboxes_on_a_subscription() -> None:
    sample = page("coldmailreseller-mailboxes")
    # The page prints an empty subscription beside autoRenew; its own table gives autoRenew to
    # domainId alone.
    sample["body"]["subscriptionId"] = "sub-1"
    del sample["body"]["autoRenew"]
    request = REGISTRY["coldmailreseller"].order_request(
        center(subscription_id="sub-1", auto_renew=True)
    )
    assert_like_page("coldmailreseller", request, sample, api_key="<api-key>")


def test_coldmailreseller_mailboxes_on_a_domain() -> None:
    sample = page("coldmailreseller-mailboxes")
    del sample["body"]["subscriptionId"]
    sample["body"] = {"domainId": "dom-1", **sample["body"]}
    request = REGISTRY["coldmailreseller"].order_request(center(domain_id="dom-1", auto_renew=True))
    assert_like_page("coldmailreseller", request, sample, api_key="<api-key>")


@pytest.mark.parametrize("ticked", [True, False])
def test_coldmailreseller_mailboxes_on_a_domain_renew_only_where_that_was_ticked(
    ticked: bool,
) -> None:
    order = center(domain_id="dom-1", auto_renew=ticked)
    assert REGISTRY["coldmailreseller"].order_request(order).body["autoRenew"] is ticked


def fiacoo(name: str, **fields: Any) -> Any:
    return domain(name, first_name="Dean", last_name="Fiacoo", **fields)


SCALEDMAIL = StubOrder(
    product="package",
    settings={"organization_id": "recOrg"},
    options={
        "price_id": "{price_id}",
        "provider": "other",
        "coupon": "SPRING",
        "hosting_provider": "Hosting Provier Name Here",
        "hosting_username": "username",
        "sequencer_provider": "Sequencer Name Here",
        "sequencer_username": "username",
    },
    secret_names=frozenset({"hosting_password", "sequencer_password"}),
    contents=(
        fiacoo("scaledmail.net", forward_to="scaledmail.com"),
        fiacoo("scaledmail.us"),
        fiacoo("scaledmail.org"),
        fiacoo("scaledmail.io"),
    ),
)


def test_scaledmail_package() -> None:
    sample = page("scaledmail-package")
    sample["url"] = sample["url"].replace(
        "{price_id}", "%7Bprice_id%7D"
    )  # ids are quoted into the path
    request = REGISTRY["scaledmail"].order_request(SCALEDMAIL)
    secrets = {
        "api_key": "<token>",
        "hosting_password": "password",
        "sequencer_password": "password",
    }
    assert_like_page("scaledmail", request, sample, **secrets)
    assert request.query == (
        ("organization_id", "recOrg"),
        ("provider", "other"),
        ("coupon", "SPRING"),
    )


def test_scaledmail_leaves_out_what_is_not_given() -> None:
    order = SCALEDMAIL.but(
        options={"provider": "scaledmail", "coupon": "", "sequencer_provider": ""}
    )
    request = REGISTRY["scaledmail"].order_request(order)
    assert [name for name, _ in request.query] == ["organization_id", "provider"]
    assert list(request.body) == ["domains"]


def test_scaledmail_quantity_stands_before_the_domains() -> None:
    body = REGISTRY["scaledmail"].order_request(SCALEDMAIL.but(options={"quantity": 3})).body
    assert list(body) == ["hosting", "sequencer", "quantity", "domains"]
    assert body["quantity"] == 3


def test_scaledmail_aliases_take_the_place_of_names() -> None:
    """The alias object of the page's "Aliases Handling"."""
    picture = "link1.com"
    line = domain(
        "example.com",
        mailbox("alias1@example.com", name="User1 Test", picture=picture),
        picture=picture,
    )
    body = REGISTRY["scaledmail"].order_request(SCALEDMAIL.but(contents=(line,))).body
    alias = {
        "first_name": "User1",
        "last_name": "Test",
        "alias": "alias1",
        "profile_picture": "link1.com",
    }
    expected = {"domain": "example.com", "aliases": [alias], "profile_picture": "link1.com"}
    assert in_order(body["domains"]) == in_order([expected])


def test_woodpecker_mailboxes() -> None:
    order = StubOrder(
        product="mailboxes",
        options={"provider": "GOOGLE"},
        contents=(
            domain("piedpiper.com", mailbox("richard@piedpiper.com", name="Richard Hendricks")),
        ),
    )
    request = REGISTRY["woodpecker"].order_request(order)
    assert_like_page("woodpecker", request, page("woodpecker-mailboxes"), api_key="{YOUR_API_KEY}")


def test_smartsenders_domains() -> None:
    order = StubOrder(
        product="domains",
        options={"vendor_id": 1},
        contact=StubContact(first_name="John", last_name="Doe"),
        forward_to="smartlead.ai",
        contents=(domain("example.com", mailbox("john@example.com"), mailbox("jane@example.com")),),
    )
    request = REGISTRY["smartsenders"].order_request(order)
    assert_like_page("smartsenders", request, page("smartsenders-domains"), api_key="YOUR_API_KEY")
    assert request.prepare("", {"api_key": "YOUR_API_KEY"}).url.endswith(
        "/place-order?api_key=YOUR_API_KEY"
    )


def test_smartsenders_domains_in_the_later_form() -> None:
    sample = page("smartsenders-domains-objects")
    # parent_account_id links to a mailbox that the account has already; MailOps orders new ones
    # only.
    del sample["body"]["domains"][0]["mailbox_details"][0]["parent_account_id"]
    order = StubOrder(
        product="domains",
        settings={"body_form": "objects"},
        options={"vendor_id": 2},
        contact=StubContact(
            email="manjit@example.com",
            first_name="Manjit",
            last_name="Singh",
            company="Smartlead",
            country="India",
            city="Bangalore",
            address_line_one="123 MG Road",
            postal_code="560001",
            state="Karnataka",
            phone_country_code="+91",
            phone="9876543210",
        ),
        forward_to="example.com",
        contents=(
            domain(
                "example.com",
                mailbox("manjit.singh@example.com", name="Manjit Singh", picture="profile1.jpg"),
                mailbox("singh@example.com", name="Manjit Singh", picture="profile2.jpg"),
            ),
            domain(
                "testdomain.com",
                mailbox("john.doe@testdomain.com", name="John Doe", picture="profile3.jpg"),
            ),
        ),
    )
    request = REGISTRY["smartsenders"].order_request(order)
    assert_like_page("smartsenders", request, sample, api_key="YOUR_API_KEY")


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.json")))
def test_every_page_is_compared(name: str) -> None:
    assert f'page("{name}")' in Path(__file__).read_text()
