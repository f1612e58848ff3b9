"""Signs in an answer that it is not the plain success or refusal that its shape promises.

The shapes are lists of what is allowed (`vendors.apis.answers`). These signs only ever turn a
verdict into *unknown*.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Names are compared without case, spaces and signs: orderId, order_id and Order-ID are one.
FLAGS = frozenset({"ok", "success", "successful", "succeeded", "issuccess", "accepted", "placed"})
TROUBLES = re.compile(
    r".*(error|errors|exception|failure|failures|problem|problems|fault|violations?)"
    r"|details?|failed|rejected|declined|denied|refused|reasons?"
)
STATES = re.compile(r".*(status|statuscode|state|code|result|outcome)")
# "id" counts, as ScaledMail's success has it; a request's or trace's own number does not.
ORDER_NUMBERS = re.compile(
    r"id|uuid|number|ref|reference.*"
    r"|.*(order|subscription|payment|invoice|charge|transaction|txn|purchase|receipt|checkout"
    r"|booking|confirmation|contract|intent).*"
)
PASCAL = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b")  # no name of a field, as orderId is
MADE = r".*(order|subscription|payment|invoice|charge|transaction|purchase|receipt).*"
POINTS = (
    rf"{MADE}|(content)?location|link|refresh|warning|.*(replay|message)(ed)?"
    r"|x?(resource|job|task|operation)(id)?"
)
DETOURS = (
    r".*(error|waf|mitigated|challenge|captcha).*|location|refresh|warning|retryafter|.*orderstatus"
)
NOTHING = frozenset(
    {
        "", "undefined", "null", "none", "nil", "nan", "n/a", "n.a.", "na", "-", "--", "unknown",
        "false", "true", "tbd", "pending", "{}", "[]", "[object object]",
    }
)  # fmt: skip

# Words for money taken, for an order that exists, or for a next step. "authenticat" stands apart:
# a refused key is refused with that word.
MONEY_OR_ORDER = re.compile(
    r"""
    already|partial|queued?\b|\bpending\b|\bprocess(ed|ing)\b|\bin\ progress\b
    |(?<![a-z])(charg(e|ed|es|ing)|debit\w*|bill(ed|ing)|invoice\w*|paid|captur\w+
    |deduct\w*|withdrawn|refund\w*|receipts?|transactions?|subscri(ption|ptions|bed)|pre-?auth\w*)\b
    |\b(sav|creat|plac|reserv|purchas|complet|finaliz|finalis|receiv|schedul
    |provision|submit|confirm|accept|approv|activat|register|renew|book|order)t?ed\b|\bbought\b
    |\bsucce(ss|eded|ssful|ssfully)\b
    |\b3-?\ ?d[-\ ]?s(ecure)?\b|\b3ds?2?\b|\bsca\b|\bstrong\ customer
    |\b(requires?|required|needs?)\ (\w+\ )?(action|confirmation|approval|verification)\b
    |\b(action|confirmation|approval|verification)\ (is\ )?(required|needed)\b|\bnext\ step\b
    |\bduplicate\ (order|request|purchase|payment)\b|\bexists\b
    |\bmoney\b|\btook\b|\btaken\ from\b|\breduced\b|\bwithdrew\b
    |\bbalance\ (was|has\ been|is\ now)\b
    |\bstored\b|\bawait\w*|\bshortly\b|\bfinish\w*|\b(in|under|for)\ review\b|\bbeing\ \w+
    |\bunder\ ?way\b
    |\b(verify|confirm|complete|approve)\ (your|the|this)?\ ?(card|payment|order|purchase)
    |\border[-\ ]?(id|ref|number)
    |\b(order|payment|reference|booking)\b[\ :\#]*(no\.?)?[\ :\#]*(?=[\w-]*\d)[\w-]+
    |\bpayment\ (was\ |is\ |has\ been\ )?(taken|made|held|intent)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
AUTHENTICATION = re.compile(r"authenticat|\bauthori[sz]ed\b", re.IGNORECASE)
CARD = re.compile(r"\bcards?\b|\bpayment\b|\bpurchase\b|\bbank\b", re.IGNORECASE)
# Words after which a success in the documented shape was none.
TROUBLE_IN_WORDS = re.compile(
    r"fail|declin|reject|refus|cancel|denied|error|unable|unsuccess|unpaid|invalid|insufficient"
    r"|expired|blocked|suspend|on hold|missing|unavailable|exceed|pending|partial|authenticat"
    r"|\bnot?\b|n['’]t\b|cannot|\bnever\b|\bwithout\b|\bexcept\b|\bhowever\b|\bbut\b"
    r"|\brequire|\b3-?\s?d[-\s]?s|\b3ds?2?\b|\baction\b|\balready\b|\bduplicate\b",
    re.IGNORECASE,
)
FAILING_STATE = re.compile(
    r"fail|declin|reject|refus|cancel|denied|error|unsuccess|unpaid|invalid|insufficient|expired"
    r"|blocked|abort|void|unauthori|forbidden|not[ _-]?found|timed?[ _-]?out|requires|pending"
    r"|incomplete|partial|false|\bno\b|\bnot\b|\bbad\b",
    re.IGNORECASE,
)


def denies(value: Any) -> bool:
    """A part of the answer, at any depth, says that something failed."""
    return any(_denies(path, leaf) for path, leaf in leaves(value))


def _denies(path: tuple[str, ...], leaf: Any) -> bool:
    name = path[-1] if path else ""
    if name in FLAGS and leaf is not True and str(leaf).strip().lower() != "true":
        return True
    if STATES.fullmatch(name) and _is_failing(leaf):
        return True
    return _is_filled(leaf) and any(TROUBLES.fullmatch(part) for part in path)


def _is_failing(state: Any) -> bool:
    if state is False:
        return True
    text = str(state).strip()
    if re.fullmatch(r"-?\d{1,9}(\.\d+)?", text):
        return float(text) >= 400 or float(text) < 0
    return isinstance(state, str) and bool(FAILING_STATE.search(text))


def has_trouble_in_words(value: Any) -> bool:
    """A message of the answer, at any depth, says that the success was none or not whole."""
    return any(
        isinstance(leaf, str) and TROUBLE_IN_WORDS.search(plain(leaf))
        for path, leaf in leaves(value)
        if path[-1:] == ("message",)
    )


def names_an_order(value: Any) -> bool:
    """A filled number of an order, a payment or the like, at any depth and in any spelling."""
    return any(
        is_number_of_order(leaf) and any(ORDER_NUMBERS.fullmatch(name) for name in path)
        for path, leaf in leaves(value)
    )


def is_number_of_order(value: Any) -> bool:
    """A number or text that can be an order's number: not "undefined", "null" or empty."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return value != 0
    return isinstance(value, str) and not _is_nothing(value)


def headers_name_an_order(headers: Mapping[str, str]) -> bool:
    """A header such as `Location` or `X-Order-Id` points to something that was made."""
    return any(
        value.strip()
        and (re.fullmatch(POINTS, _name(name)) or re.search(r"order|/\w+/\d", value, re.IGNORECASE))
        for name, value in headers.items()
        if _name(name) not in ("contentsecuritypolicy", "reportto", "nel", "date", "server", "via")
    )


def headers_deny(headers: Mapping[str, str]) -> bool:
    """A header that no vendor's success has: of a firewall, a sign-in page, an error, a detour."""
    return any(
        value.strip()
        and (
            re.fullmatch(DETOURS, _name(name))
            or (_name(name) == "contenttype" and "html" in value.lower())
        )
        for name, value in headers.items()
    )


def is_failing_word(text: str) -> bool:
    """A word such as "failed" where a number should be."""
    return not re.search(r"\d", text) and bool(FAILING_STATE.search(text))


def _is_nothing(text: str) -> bool:
    return text.strip().lower() in NOTHING or not text.strip(" \t\r\n0.\0")


def speaks_of_money_or_an_order(
    value: Any,
    *,
    own_names: Iterable[str] = (),
    is_about_key: bool = False,
    more: re.Pattern[str] | None = None,
) -> bool:
    """A text of the answer speaks of money taken, of an order that exists or of a next step.

    `own_names`: the order's domains and addresses, which a refusal quotes and which may hold such
    words. `is_about_key`: the status is that of a refused key. `more`: words of one vendor beside
    those of all.
    """
    names = list(own_names)
    for _path, leaf in leaves(value):
        text = plain(without_names(leaf, names)) if isinstance(leaf, str) else ""
        if _speaks(text, is_about_key=is_about_key) or (more and more.search(text)):
            return True
    return False


def _speaks(text: str, *, is_about_key: bool) -> bool:
    if MONEY_OR_ORDER.search(text):
        return True
    return bool(AUTHENTICATION.search(text)) and (not is_about_key or bool(CARD.search(text)))


def without_names(text: str, names: Iterable[str]) -> str:
    """The text less the names of an order, which a refusal quotes and which may hold any word."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.@-]){re.escape(name)}(?![\w-]|\.\w)", " ", text, flags=re.I)
    return text


def plain(text: str) -> str:
    """The text as a person reads it: no entities, no invisible letters, joined words apart."""
    # One hyphen, one space, no underscores: "3‑D Secure", "requires_action", "PaymentSucceeded".
    text = unicodedata.normalize("NFKC", html.unescape(text))
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    text = re.sub(r"[‐-―−]", "-", text).replace("’", "'")
    text = PASCAL.sub(lambda word: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word[0]), text)
    return re.sub(r"[_\s]+", " ", text)


def _is_filled(leaf: Any) -> bool:
    return leaf is not None and leaf is not False and leaf != 0 and str(leaf).strip() != ""


def leaves(value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is no object or list, with the plain names on the way to it."""
    # Without recursion: an answer may be nested deeper than Python's stack.
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, dict):
            waiting += [((*path, _name(key)), item) for key, item in part.items()]
        elif isinstance(part, list):
            waiting += [(path, item) for item in part]
        else:
            yield path, part


def _name(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower()) or key
