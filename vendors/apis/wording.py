"""The words of a refusal, a success or a "too many requests": understood as such, or not.

Vendors' messages are free text, in which any word may tell of money or of an order. So the words
themselves are a white list: a refusal counts as one only where each of its sentences gives a
reason that a vendor gives before it buys anything, in nothing but words that such reasons are made
of. A success has to be one of few sentences. Everything else ends as *unknown*, which costs a
person a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from vendors.apis import doubts

MESSAGES = frozenset({"message", "error", "details", "issue"})
ASIDES = frozenset({"title", "type", "context"})  # words beside the message
# What requests are made of: the fields of the five order requests, and what is in them.
FIELDS = """
    domain domains name names first last email emails address addresses mailbox mailboxes inbox
    inboxes username user userid users local part password passwords tld tlds extension quantity
    count number numbers price plan package packages product value values field fields key keys
    token tokens header parameter parameters input data type format length characters character
    letters letter digits digit request body json contact phone country state city zip postal code
    street redirect url urls forwarding forward coupon tag tags hosting platform cart item items
    api account credentials wallet balance funds fund credit credits payment method methods card
    permission permissions access alias aliases years provider uri content application
    subscriptionid domainid firstname lastname profilepicture serviceprovider billingcycle autorenew
    microsoftoauthroute org com net
"""
GRAMMAR = """
    a an the this that your you yours we it is are was be has have of in on to for with by per at
    and or as from least most more less fewer than between maximum minimum max min up any each
    no not cannot many s both exactly given greater equal don't doesn't isn't aren't can can't
    mustn't does do too please
"""
REASONS = """
    invalid incorrect wrong malformed bad unknown unsupported supported missing required requires
    require must should expected provide supply specify enter choose use contain contains empty
    blank allowed permitted available unavailable found exist valid long short longer shorter
    exceed exceeds exceeded limit insufficient enough low unauthorized unauthorised unauthenticated
    authorized revoked belong match matches include selected prepaid forbidden denied declined
    expired taken requested connected connect add top
"""
PHRASES = re.compile(  # the last lines: as the vendors' pages have them
    r"\b(validation|authentication|payment) failed\b|\border (more|less|fewer|at|up)\b"
    r"|\bbad request\b|\bunprocessable (entity|content)\b|\bauthentication (is )?required\b"
    r"|\b(organization|vendor) id\b|\bconfirm is required\b|\bduplicate value\b"
    r"|\bbefore retrying the order\b|\bdomain owner required\b|\bminimum order is\b"
    r"|\bused or unavailable\b"
    r"|\bbefore the @|\bone of \[[\w, ]*\]|\b(google is )?required for (google|microsoft)\b"
    r"|\bholds a restricted phrase\b|\bvalidation error\b"
    r"|^error details$|^title$|^error creating domain$"
    r"|^email domain must exist in order domains( or active firm domains)?$",
    re.IGNORECASE,
)
# Names that a vendor quotes: of a field of the request, of a domain.
FIELD = re.compile(r'"(domains|mailboxes|mailbox_details|user_details|vendor_id)[\w.\[\]]*"')
NAME = re.compile(
    r"(?<![\w.@-])(?!\S*(order|pay|charg))[a-z0-9-]+(\.[a-z]{2,12}){1,2}(?![\w-]|\.\w)"
)
# A part of what was ordered may have been bought.
PART = re.compile(r"\d+\s*(of|/)\s*\d+")
KNOWN = frozenset((FIELDS + GRAMMAR + REASONS).split())
GIVES_REASON = frozenset(REASONS.split()) | {"no", "not", "cannot", "can't", "too", "please"}
# Beside the message: where in the vendor's program it was.
KNOWN_ASIDE = KNOWN | {"order", "error", "business"}

THROTTLED = re.compile(
    r"too many (requests|attempts)|rate limit( is| was| has been)? (exceeded|reached)"
    r"|slow down|(too )?fast"
    r"|(please )?(try|retry|wait)( again)?( later| in a (moment|minute)| after \d+ seconds?"
    r"| in \d+ seconds?| \d+ seconds?)?"
    r"|you( have|'ve)? (exceeded|reached|hit) (the|your) rate limit|throttled|bad request"
    r"|(\d+|limit of \d+) requests? per (second|minute|hour)"
    r"|error details|title",  # as Woodpecker's page has them
    re.IGNORECASE,
)
DONE = r"(created|placed|accepted|received|submitted|ordered|completed|confirmed)"
THING = r"(order|request|subscription|package|domains?|mailboxes)"
SUCCESS = re.compile(
    rf"""
    success|ok|okay|done|thanks?|thank\ you|succe(ss|eded)|{DONE}
    |((thank\ you|thanks),?\ )?((your|the)\ )?{THING}(\ (was|were|is|has\ been|have\ been))?
    (\ successfully)?\ {DONE}(\ successfully|\ with\ success)?
    |(successfully\ )?{DONE}(\ successfully)?(\ (your|the)\ order)?
    # as ColdMailReseller's pages have it
    |order\ created\ and\ queued\ for\ processing
    (,\ make\ sure\ to\ have\ enough\ balance\ in\ your\ wallet)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
SENTENCES = re.compile(r"[.;!?|\n]+(?=\s|$)|\s-\s")


def is_plain_refusal(body: Any, *, own_names: Iterable[str] = ()) -> bool:
    """Every message of the answer is understood as a refusal. `own_names`: words of the order."""
    names = list(own_names)
    said = [_without_names(text, names) for text in _texts(body, MESSAGES)]
    asides = [_without_names(text, names) for text in _texts(body, ASIDES)]
    return all(map(_gives_reasons, said)) and all(_is_known(text, KNOWN_ASIDE) for text in asides)


def is_plain_throttling(body: Any) -> bool:
    """Every message of the answer says "too many requests", and nothing else."""
    return all(
        THROTTLED.fullmatch(sentence.strip(" :,"))
        for text in _texts(body, MESSAGES | ASIDES)
        for sentence in _sentences(doubts.plain(text))
    )


def is_plain_success(body: Any) -> bool:
    """Every message of the answer is understood as a success, or there is none."""
    return all(
        SUCCESS.fullmatch(sentence.strip())
        for text in _texts(body, {"message"})
        for sentence in _sentences(doubts.plain(text))
    )


def _texts(body: Any, places: Iterable[str]) -> Iterator[str]:
    for path, leaf in doubts.leaves(body):
        if isinstance(leaf, str) and leaf.strip() and path and path[-1] in places:
            yield leaf


def _without_names(text: str, own: Iterable[str]) -> str:
    return NAME.sub(" ", FIELD.sub(" ", doubts.without_names(text, own)))


def _sentences(text: str) -> list[str]:
    return [part for part in SENTENCES.split(text) if part and re.search(r"\w", part)]


def _gives_reasons(text: str) -> bool:
    text = doubts.plain(text)
    return _is_known(text, KNOWN) and all(
        PHRASES.search(sentence) or GIVES_REASON & _words(sentence) for sentence in _sentences(text)
    )


def _is_known(text: str, known: frozenset[str]) -> bool:
    text = doubts.plain(text)
    return text.isascii() and not PART.search(text) and _words(PHRASES.sub(" ", text)) <= known


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z']*[a-z]", text.lower()))
