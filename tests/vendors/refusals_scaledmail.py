"""What ScaledMail documents to refuse."""

from __future__ import annotations

from tests.vendors.orders import TWO_DOMAINS, domain
from tests.vendors.refusals import (
    OTHER_PAGE,
    OTHERS_SAY,
    SCALEDMAIL,
    Refusal,
    answers,
    box,
    by_nature,
    line,
    options,
)  # fmt: skip
from vendors.verdicts import NotSent, Refused, Unknown

LOGIN = {"provider": "other", "hosting_provider": "Porkbun", "hosting_username": "ada"}
HOSTING, SEQUENCER = frozenset({"hosting_password"}), frozenset({"sequencer_password"})
TOOL = {"sequencer_provider": "Instantly", "sequencer_username": "ada"}
REQUIRED_LOGIN = (
    'Required only when provider = "other".', "SMTP/IMAP credentials", "Account credentials",
    "Any required verification details",
)  # fmt: skip
COUNT = (
    "The number of domains must exactly match the domain count required by the selected package."
)
NAMED = domain("beta.org", first_name="Cy", last_name="", row=2)

SCALEDMAIL_REFUSALS = [
    Refusal(
        key=SCALEDMAIL, says="price_id is required", quotes=("price_id (required)",), broken=options(price_id=""),
        field="price_id", status=404,
    ),
    Refusal(
        key=SCALEDMAIL, says="price_id is one of the account's packages",
        quotes=("Retrieve valid price_id values from the /packages endpoint.",), broken=options(price_id="price_gone"),
        field="price_id", level="warn", status=404, words="Package not found",
    ),
    Refusal(
        key=SCALEDMAIL, says="provider is required: scaledmail or other", quotes=("provider (required)",),
        broken=options(provider=""), field="provider", words="provider is required",
    ),
    Refusal(
        key=SCALEDMAIL, says="organization_id is required", source=OTHER_PAGE, broken={"settings": {}},
        field="organization_id", words="organization_id is required",
    ),
    Refusal(
        key=SCALEDMAIL, says="quantity is a number of packages", quotes=("quantity (optional)",),
        broken=options(quantity=-1), field="quantity",
    ),
    Refusal(
        key=SCALEDMAIL, says="domains are required", quotes=("domains (required)",), broken={"contents": ()},
        field="rows", words="domains must contain at least 1",
    ),
    Refusal(
        key=SCALEDMAIL, says="Each domain object has its domain", quotes=("domain (required)",),
        broken=line(name=""), field="domain", row=2, words="domain must contain a valid domain name",
    ),
    Refusal(
        key=SCALEDMAIL, says=COUNT, quotes=(COUNT,), broken={"contents": TWO_DOMAINS[:1]}, field="domain",
        words="exactly 2 domains",
    ),
    Refusal(
        key=SCALEDMAIL, says="Twice the quantity, twice the domains",
        quotes=("You can increase it if you need multiple units of the same package.",),
        broken=options(quantity=3), field="domain", words="exactly 3 domains",
    ),
    Refusal(
        key=SCALEDMAIL, says="first_name and last_name, or an aliases array",
        quotes=("You now have two ways to provide alias information",),
        broken={"contents": (TWO_DOMAINS[0], NAMED)}, field="first_name", row=2,
        words="last_name is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="An alias has a first name", source=OTHER_PAGE, broken=box(first_name=""),
        field="first_name", row=11, words="first_name is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="An alias has a last name", source=OTHER_PAGE, broken=box(last_name=""),
        field="last_name", row=11, words="last_name is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="An alias is at most 64 characters, without @ and spaces", source=OTHER_PAGE,
        broken=box(username="a@b"), field="address", row=11, words="alias must be",
    ),
    Refusal(
        key=SCALEDMAIL, says="hosting.provider is required with provider=other",
        quotes=("hosting (conditionally required)", *REQUIRED_LOGIN),
        broken={**options(**LOGIN | {"hosting_provider": ""}), "secret_names": HOSTING}, field="hosting_provider",
        words="hosting.provider is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="hosting.username is required with provider=other", quotes=REQUIRED_LOGIN,
        broken={**options(**LOGIN | {"hosting_username": ""}), "secret_names": HOSTING}, field="hosting_username",
        words="hosting.username is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="hosting.password is required with provider=other", quotes=REQUIRED_LOGIN,
        broken=options(**LOGIN), field="hosting_password", words="hosting.password is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="sequencer.username is required with a sequencer", source=OTHER_PAGE,
        broken={**options(**TOOL | {"sequencer_username": ""}), "secret_names": SEQUENCER},
        field="sequencer_username", words="sequencer.username is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="sequencer.password is required with a sequencer", source=OTHER_PAGE,
        broken=options(**TOOL), field="sequencer_password", words="sequencer.password is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="sequencer.provider is required with a sequencer", source=OTHER_PAGE,
        broken={**options(sequencer_username="ada"), "secret_names": SEQUENCER}, field="sequencer_provider",
        wire=lambda body: body.update(sequencer={"provider": "", "username": "ada", "password": "pa55-word"}),
        words="sequencer.provider is not allowed to be empty",
    ),
    Refusal(
        key=SCALEDMAIL, says="Requires a connected payment method", quotes=("Requires a connected payment method",),
        reply=(400, {"error": "No payment method connected"}), verdict=Unknown,
    ),
    Refusal(
        key=SCALEDMAIL, says="If any domain is already used or unavailable, the request will fail.",
        quotes=("If any domain is already used or unavailable, the request will fail.",),
        reply=(400, {"error": "Domain beta.org is unavailable"}), field="domain", row=2,
    ),
    Refusal(
        key=SCALEDMAIL, says="A domain is already used", quotes=("If any domain is already used",),
        reply=(400, {"error": "Domain beta.org is already used"}), verdict=Unknown,
    ),
    Refusal(
        key=SCALEDMAIL, says="The bearer token is missing or wrong",
        quotes=("making requests to protected resources",), reply=(401, {"message": "Unauthorized"}),
    ),
    *answers(
        SCALEDMAIL, OTHER_PAGE,
        ("A field is missing or wrong (400)", 400, {"error": "domains is required"}, Refused),
        ("Too many requests (429)", 429, {"message": "Too many requests", "retryAfter": 2}, NotSent),
        ("An error inside the vendor (500)", 500, {"error": "Internal server error"}, Unknown),
    ),
    *answers(
        SCALEDMAIL, OTHERS_SAY,
        ("The domain or package is not found (404)", 404, {"error": "Domain not found"}, Refused),
        (
            "The subscription was created but could not be charged (400)", 400,
            {"error": "The subscription was created but could not be charged"}, Unknown,
        ),
    ),
    *by_nature(SCALEDMAIL),
]  # fmt: skip
