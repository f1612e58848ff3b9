"""The words of a refusal or a success: understood as such, or not.

Vendors' messages are free text. A refusal counts as one only where each of its sentences gives a
reason that a vendor gives before it buys anything, in plain English; a success only where its
message is empty or says so. All other words, and all other languages, end as *unknown*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from vendors.apis import doubts

MESSAGES = frozenset({"message", "error", "details"})
REASONS = re.compile(
    r"""
    \b(no|not|none|never|cannot|invalid|incorrect|wrong|malformed|bad|unknown|unsupported|unreadable
    |requires?|required|requirements?|missing|must|should|expected|please|empty|blank|allowed|only
    |unavailable|insufficient|unauthori[sz]ed|forbidden|denied|declined|rejected|refused|error
    |exceed\w*|maximum|minimum|at\ (least|most)|more\ than|less\ than|fewer|limits?|quota
    |expired|blocked|suspended|disabled|inactive|used|taken|conflict|unprocessable|mismatch|prohibited
    |failed|contact\ support|top\ up|add\ funds|slow\ down|duplicated?|one\ of|between|too
    |longer|shorter|restricted|characters?|authenticat(e|ion)|permissions?)\b
    |n't\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Failures that say nothing about when they came: before or after the money.
NO_REASON = re.compile(
    r"\btime[sd]?[- ]?(out|up)\b|\bunable\b|\bsomething\b|\binternal\b|\bunexpected\b"
    r"|\btoo many req|\brate limit|\bthrottl|\btry again\b|\btemporar",
    re.IGNORECASE,
)
SUCCESS = re.compile(
    r"\b(success\w*|created|placed|accepted|received|processed|processing|submitted|queued|ordered"
    r"|completed?|confirmed|done|ok|okay|thanks?)\b",
    re.IGNORECASE,
)
SENTENCES = re.compile(r"[.;!?|\n]+(?=\s|$)|\s-\s")


def is_plain_refusal(body: Any, *, own_names: Iterable[str] = ()) -> bool:
    """Every message of the answer is understood as a refusal. `own_names`: words of the order."""
    names = list(own_names)
    said = [text for text in _messages(body) if text.strip()]
    return all(_gives_reasons(doubts.without_names(text, names)) for text in said)


def is_plain_success(body: Any) -> bool:
    """Every message of the answer is understood as a success, or there is none."""
    said = [text for text in _messages(body) if text.strip()]
    return all(text.isascii() and SUCCESS.search(doubts.plain(text)) for text in said)


def _messages(body: Any) -> Iterable[str]:
    for path, leaf in doubts.leaves(body):
        if isinstance(leaf, str) and path and path[-1] in MESSAGES:
            yield leaf


def _gives_reasons(text: str) -> bool:
    text = doubts.plain(text)
    if not text.isascii() or NO_REASON.search(text):
        return False
    sentences = [part for part in SENTENCES.split(text) if part and re.search(r"[a-z]", part, re.I)]
    return all(REASONS.search(sentence) for sentence in sentences)
