"""What Smartlead documents to refuse in an order of SmartSenders, in both of its forms."""

from __future__ import annotations

from tests.vendors.orders import TWO_DOMAINS, StubContact, domain
from tests.vendors.refusals import (
    OTHER_PAGE,
    SMARTSENDERS,
    Refusal,
    answers,
    box,
    by_nature,
    line,
    options,
)  # fmt: skip
from vendors.verdicts import Accepted, NotSent, Unknown

OBJECTS = {"settings": {"body_form": "objects"}}
CONTACT = {
    "email": "email", "firstName": "first_name", "lastName": "last_name", "country": "country", "city": "city",
    "addressLineOne": "address_line_one", "postalCode": "postal_code", "state": "state",
    "phoneCc": "phone_country_code", "phone": "phone",
}  # fmt: skip


def says(words: str) -> dict[str, str]:
    return {"status": "error", "message": words, "context": "Error creating domain"}


SMARTSENDERS_REFUSALS = [
    Refusal(
        key=SMARTSENDERS, says="vendor_id is required", quotes=("vendor_id\ninteger\nrequired",),
        broken=options(vendor_id=None), field="vendor_id", words='"vendor_id" must be one of',
    ),
    Refusal(
        key=SMARTSENDERS, says="vendor_id is a vendor that is active now", source=OTHER_PAGE,
        broken=options(vendor_id=77), field="vendor_id", level="warn", words='"vendor_id" must be one of',
    ),
    Refusal(
        key=SMARTSENDERS, says="domains are required", quotes=("domains\narray\nrequired",), broken={"contents": ()},
        field="rows", words='"domains" must contain at least 1',
    ),
    Refusal(
        key=SMARTSENDERS, says='"domains[0].domain_name" must contain a valid domain name',
        source=OTHER_PAGE, quotes=("Each object should contain domain_name and an array of mailbox details.",),
        broken=line(name="beta"), field="domain", row=2, words="must contain a valid domain name",
    ),
    Refusal(
        key=SMARTSENDERS, says="Each domain has an array of mailboxes",
        quotes=("Each object should contain domain_name and an array of mailbox details.",),
        broken={"contents": (TWO_DOMAINS[0], domain("beta.org", row=2))}, field="domain", row=2,
        words="mailboxes",
    ),
    Refusal(
        key=SMARTSENDERS, says="forwarding_domain is required", quotes=("forwarding_domain\nstring\nrequired",),
        broken={"forward_to": ""}, field="forward_to", words='"forwarding_domain" must contain a valid domain name',
    ),
    Refusal(
        key=SMARTSENDERS, says="user_details includes the name",
        quotes=("contact details required by the vendor for domain purchase and provisioning",),
        broken={"contact": StubContact(first_name="", last_name="")}, field="contact",
        words='"user_details.name" is not allowed to be empty',
    ),
    *(
        Refusal(
            key=SMARTSENDERS, says=f"user_details.{name} is required (later form)", source=OTHER_PAGE,
            broken={**OBJECTS, "contact": StubContact(**{field: ""})}, field="contact",
            words=f'"user_details.{name}" is not allowed to be empty',
        )
        for name, field in CONTACT.items()
    ),
    Refusal(
        key=SMARTSENDERS, says="user_details is required (later form)", source=OTHER_PAGE,
        broken={**OBJECTS, "contact": None}, field="contact", words="user_details",
    ),
    Refusal(
        key=SMARTSENDERS, says="languagePreference is required (later form)", source=OTHER_PAGE, order=OBJECTS,
        wire=lambda body: body["user_details"].pop("languagePreference"), words="languagePreference",
    ),
    Refusal(
        key=SMARTSENDERS, says="first_name of a mailbox is required (later form)", source=OTHER_PAGE,
        broken=OBJECTS | box(first_name=""), field="first_name", row=11, words="first_name",
    ),
    Refusal(
        key=SMARTSENDERS, says="last_name of a mailbox is required (later form)", source=OTHER_PAGE,
        broken=OBJECTS | box(last_name=" "), field="last_name", row=11, words="last_name",
    ),
    Refusal(
        key=SMARTSENDERS, says="mailbox is a full address (later form)", source=OTHER_PAGE,
        broken=OBJECTS | box(username="dana reyes"), field="address", row=11, words="must be a valid email",
    ),
    Refusal(
        key=SMARTSENDERS, says="The order has the form of another time", source=OTHER_PAGE,
        reply=(400, says('"domains[0].mailbox_details" is required')), ours="other form",
    ),
    Refusal(
        key=SMARTSENDERS, says="400 Bad Request",
        quotes=("400\nBad Request\nInvalid request parameters or malformed request body",),
        reply=(400, says('"domains[1].domain_name" must contain a valid domain name')), field="domain", row=2,
    ),
    Refusal(
        key=SMARTSENDERS, says="401 Unauthorized",
        quotes=(
            "401\nUnauthorized\nInvalid or missing API key. Check your authentication.", "api_key\nstring\nrequired",
        ),
        reply=(401, {"message": "Invalid API Key"}),
    ),
    Refusal(
        key=SMARTSENDERS, says="Contact support@smartlead.ai for access.",
        quotes=("Contact support@smartlead.ai for access.",), reply=(403, {"message": "Forbidden"}),
    ),
    Refusal(
        key=SMARTSENDERS, says="500 Internal Server Error",
        quotes=(
            "500\nInternal Server Error\nServer error occurred. "
            "Please try again or contact support if the issue persists.",
        ),
        reply=(500, says("Server error occurred")), verdict=Unknown,
    ),
    Refusal(
        key=SMARTSENDERS, says="Content-Type must be application/json", quotes=("Must be application/json",),
        headers={"Content-Type": "text/plain"}, words="Content-Type",
    ),
    *answers(
        SMARTSENDERS, OTHER_PAGE,
        (
            "429 RATE_LIMIT_EXCEEDED", 429,
            {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests", "retry_after": 2}}, NotSent,
        ),
        ("status: error in an answer that reads 200", 200, says("Error creating domain"), Unknown),
        ("Payment Pending: the card is charged after the order", 200, {"ok": True, "data": []}, Accepted),
    ),
    *by_nature(SMARTSENDERS),
]  # fmt: skip
