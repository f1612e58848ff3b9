"""What ColdMailReseller documents to refuse, in its two orders."""

from __future__ import annotations

from typing import Any

from tests.vendors.orders import domain
from tests.vendors.refusals import (
    CMR_DOMAINS,
    CMR_MAILBOXES,
    OTHER_PAGE,
    OTHERS_SAY,
    Refusal,
    answers,
    box,
    by_nature,
    line,
    lone_box,
    options,
)  # fmt: skip
from vendors.verdicts import Accepted, NotSent, Refused, Unknown


def cmr(status: int, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"status": status, "message": message, "data": None}


CMR_ACCEPTED = {
    "status": 200,
    "message": "Order created and queued for processing",
    "data": {"orderId": "RJK7"},
}
WALLET = "Insufficient balance in your wallet"


def cmr_everywhere(key: tuple[str, str]) -> list[Refusal]:
    """What the vendor's help says of every request; the words are known of two of them."""
    return answers(
        key, OTHERS_SAY,
        ("Malformed request or missing field", *cmr(400, "years must be a number"), Refused),
        ("The key is wrong", *cmr(401, "Unauthorized"), Refused),
        ("Not permitted, or not the owner", *cmr(403, "Forbidden"), Refused),
        ("The requested user does not exist.", *cmr(404, "The requested user does not exist."), Refused),
        ("Conflict with something that exists", *cmr(409, "Workspace exists already"), Unknown),
        ("A rule of the vendor's own", *cmr(422, "alpha.com holds a restricted phrase"), Refused),
        ("Too many requests", *cmr(429, "Too many requests"), NotSent),
        ("An error inside the vendor", *cmr(500, "Internal server error"), Unknown),
        ("The vendor is not available", *cmr(503, "Service unavailable"), Unknown),
    )  # fmt: skip


COLDMAILRESELLER = [
    Refusal(
        key=CMR_DOMAINS, says="userId is required", quotes=("userId string Yes The ID of the user",),
        broken={"settings": {}}, field="user_id", words="Please provide a userId",
    ),
    Refusal(
        key=CMR_DOMAINS, says="domains are required", quotes=("domain string Yes The name of the domain to register",),
        broken={"contents": ()}, field="rows", words="domains must contain at least 1",
    ),
    Refusal(
        key=CMR_DOMAINS, says="years is required, a whole number",
        quotes=("years integer Yes Number of years for domain registration",),
        broken=line(years=0), field="years", row=2, words="years must be",
    ),
    Refusal(
        key=CMR_DOMAINS, says="username is required", quotes=("username string Yes Username for the mailbox",),
        broken=box(username=""), field="address", row=11, words="username",
    ),
    Refusal(
        key=CMR_DOMAINS, says="firstName is required",
        quotes=("firstName string Yes First name of the mailbox user",),
        broken=box(first_name=" "), field="first_name", row=11, words="firstName is not allowed to be empty",
    ),
    Refusal(
        key=CMR_DOMAINS, says="lastName is required", quotes=("lastName string Yes Last name of the mailbox user",),
        broken=box(last_name=""), field="last_name", row=11, words="lastName is not allowed to be empty",
    ),
    Refusal(
        key=CMR_DOMAINS, says="profilePicture is the URL of a picture",
        quotes=("profilePicture string No URL of the user's profile picture",),
        broken=box(picture="ada.jpg"), field="picture", row=11, words="profilePicture must be a valid uri",
    ),
    Refusal(
        key=CMR_DOMAINS, says="billingCycle accepts MONTHLY only", source=OTHER_PAGE,
        wire=lambda body: body.update(billingCycle="YEARLY"), words="billingCycle must be one of [MONTHLY]",
    ),
    Refusal(
        key=CMR_DOMAINS, says="serviceProvider is GOOGLE or MICROSOFT", quotes=("Allowed values : GOOGLE, MICROSOFT",),
        broken=options(service_provider="YAHOO"), field="service_provider", words="serviceProvider must be one of",
    ),
    Refusal(
        key=CMR_DOMAINS, says="For Google mailboxes, the google object is required",
        quotes=("Required for Google mailboxes", "For Google mailboxes, the google object is required."),
        broken=options(google_client_id=""), field="google_oauth_route", words="google is required",
    ),
    Refusal(
        key=CMR_DOMAINS, says="For Microsoft mailboxes, microsoftOauthRoute is required",
        quotes=("Required for Microsoft mailboxes", "For Microsoft mailboxes, microsoftOauthRoute is required"),
        broken=options(service_provider="MICROSOFT", google_client_id=""), field="microsoft_oauth_route",
        words="microsoftOauthRoute is required",
    ),
    Refusal(
        key=CMR_DOMAINS, says="confirm says whether the order is processed",
        quotes=("When confirm is set to false: Order will be created but not processed",),
        broken=options(confirm=None), field="confirm", wire=lambda body: body.pop("confirm"),
        words="confirm is required",
    ),
    Refusal(
        key=CMR_DOMAINS, says="Your wallet must have sufficient balance",
        quotes=("Your wallet must have sufficient balance to cover the order cost",),
        reply=cmr(422, WALLET), ours="The wallet",
    ),
    Refusal(
        key=CMR_DOMAINS, says="Some domains are unavailable (unavailableDomains)", source=OTHERS_SAY,
        reply=(200, CMR_ACCEPTED | {"data": {"orderId": "RJK7", "unavailableDomains": ["alpha.com"]}}),
        verdict=Accepted, ours="alpha.com",
    ),
    Refusal(
        key=CMR_DOMAINS,
        says="domain.order.failed: the name is taken, holds a restricted phrase, the registrar fails, low balance",
        source=OTHER_PAGE, reply=(200, CMR_ACCEPTED), verdict=Accepted,
    ),
    *cmr_everywhere(CMR_DOMAINS),
    *by_nature(CMR_DOMAINS),
    Refusal(
        key=CMR_MAILBOXES, says="userId is required", source=OTHERS_SAY, broken={"settings": {}}, field="user_id",
        words="Please provide a userId",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="Do not provide both subscriptionId and domainId",
        quotes=("Provide either subscriptionId or domainId", "Do not provide both in the same request"),
        broken=options(domain_id="dom-1"), field="domain_id",
        wire=lambda body: body.update(domainId="dom-1"), words="not both",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="One of subscriptionId or domainId must be provided",
        quotes=(
            "One of subscriptionId or domainId must be provided based on your subscription status",
            "subscriptionId string Conditional*", "domainId string Conditional*",
        ),
        broken=options(subscription_id=""), field="subscription_id", words="subscriptionId",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="autoRenew is required with domainId",
        quotes=("autoRenew boolean Conditional**", "Required only when using domainId (Scenario 2)"),
        order=options(subscription_id="", domain_id="dom-1"),
        wire=lambda body: body.pop("autoRenew"), words="autoRenew is required with domainId",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="confirm is required", quotes=("confirm boolean Required true: Process immediately",),
        broken=options(confirm=None), field="confirm", wire=lambda body: body.pop("confirm"),
        words="confirm is required",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="mailboxes are needed", source=OTHER_PAGE,
        broken={"contents": (domain("alpha.com", row=1),)}, field="domain", row=1, words="mailboxes",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="username is required", source=OTHER_PAGE, broken=lone_box(username=""),
        field="address", row=11, words="username",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="firstName is required", source=OTHER_PAGE, broken=lone_box(first_name=""),
        field="first_name", row=11, words="firstName is not allowed to be empty",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="lastName is required", source=OTHER_PAGE, broken=lone_box(last_name=""),
        field="last_name", row=11, words="lastName is not allowed to be empty",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="profilePicture is the URL of a picture", source=OTHER_PAGE,
        broken=lone_box(picture="ada.jpg"), field="picture", row=11, words="profilePicture must be a valid uri",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="Insufficient balance will result in order creation failure",
        quotes=(
            "Insufficient balance will result in order creation failure",
            "Your wallet must have sufficient balance to cover the order cost",
        ),
        reply=cmr(422, WALLET), ours="The wallet",
    ),
    Refusal(
        key=CMR_MAILBOXES, says="The subscription is not active, or not of this domain",
        quotes=("ID of the active subscription to add mailboxes to",), reply=cmr(404, "Subscription not found"),
        verdict=Unknown,
    ),
    *cmr_everywhere(CMR_MAILBOXES),
    *by_nature(CMR_MAILBOXES),
]  # fmt: skip
