"""The verdict over a vendor's answer to a paid request: one function for all adapters.

An adapter declares the shapes that its vendor documents. Whatever is not exactly one of them, or
holds a sign against it (`vendors.apis.doubts`), is *unknown*. A wrong *unknown* costs a person a
minute; a wrong *refused* a second purchase; a wrong *accepted* an order that never comes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol

from vendors.apis import doubts, replies, wording
from vendors.apis.values import OrderLike
from vendors.http import Reply, redact_text
from vendors.verdicts import Accepted, NotSent, Problem, Refused, Unknown, Verdict

# Answers that cover a part, or several requests: 206 Partial Content, 207 Multi-Status.
PARTIAL = frozenset({206, 207})
ABOUT_KEY = frozenset({401, 403})
NUMBER = re.compile(r"[\w.:#/+=-]{1,120}", re.ASCII)  # as vendors write the number of an order


@dataclass(frozen=True)
class Answer:
    """A reply, read with its secrets. Texts for people come from `text`, without them."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @cached_property
    def body(self) -> Any:
        """The JSON value, None for anything else."""
        return self.reply.written_json()

    @property
    def is_empty(self) -> bool:
        return not self.reply.written.removeprefix(b"\xef\xbb\xbf").strip()

    def has_keys(self, *required: str, optional: tuple[str, ...] = ()) -> bool:
        """The body is an object with exactly these keys."""
        return has_keys(self.body, *required, optional=optional)

    def text(self, value: Any, *, limit: int = 500) -> str:
        """A part of the body as one line for a person."""
        # Struck out before the text is shortened: half a secret would not be found any more.
        if isinstance(value, str):
            value = redact_text(value, self.reply.secrets)
        return replies.text(value, limit=limit)

    @property
    def says(self) -> str:
        """The vendor's own words, at the first place where one of the vendors puts them."""
        if not isinstance(self.body, dict):
            return ""
        error = self.body.get("error")
        inner = error.get("message") if isinstance(error, dict) else error
        places = (inner, self.body.get("message"), self.body.get("details"), self.body.get("title"))
        return next((self.text(words) for words in places if is_words(words)), "")


def has_keys(value: Any, *required: str, optional: tuple[str, ...] = ()) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() >= set(required)
        and value.keys() <= {*required, *optional}
    )


def is_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_status(value: Any, status: int) -> bool:
    """A whole number, not the text or the float of it."""
    return isinstance(value, int) and not isinstance(value, bool) and value == status


def is_reference(value: Any) -> bool:
    """An order's number, as text or whole number: not "undefined", "failed", 0 or empty."""
    if isinstance(value, float) or not doubts.is_number_of_order(value):
        return False
    if isinstance(value, int):
        return 0 < value < 10**30
    return bool(NUMBER.fullmatch(value)) and not doubts.is_failing_word(value)


class DocumentedShapes(Protocol):
    """The members of `vendors.apis.base.Api` by which an answer is read."""

    REFUSALS: ClassVar[frozenset[int]]
    doubtful_words: ClassVar[re.Pattern[str] | None]

    def success(self, order: OrderLike, answer: Answer) -> Accepted | Unknown | None: ...

    def refusal(self, order: OrderLike, answer: Answer) -> Refused | None: ...

    def is_throttled(self, answer: Answer) -> bool: ...

    def wait_of(self, answer: Answer) -> Any: ...


def read(api: DocumentedShapes, order: OrderLike, reply: Reply) -> Verdict:
    """The verdict over a whole answer."""
    verdict = _verdict(api, order, Answer(reply))
    return _without_secrets(verdict, reply.secrets) if reply.secrets else verdict


def _verdict(api: DocumentedShapes, order: OrderLike, answer: Answer) -> Verdict:
    status = answer.status
    if status == 429:
        return _throttled(api, order, answer)
    if status in api.REFUSALS:
        return _refused(api, order, answer)
    if 200 <= status < 300:
        return _accepted(api, order, answer)
    return Unknown(
        why=f"The vendor answered {status}, which does not say whether it placed the order."
    )


def _accepted(api: DocumentedShapes, order: OrderLike, answer: Answer) -> Accepted | Unknown:
    success = None if answer.status in PARTIAL else api.success(order, answer)
    if isinstance(success, Unknown):
        return success
    if doubts.headers_deny(answer.reply.headers):
        why = f"Something else than the vendor's API may have answered {answer.status}."
        return Unknown(why=_with_words(why, answer))
    if doubts.denies(answer.body) or doubts.has_trouble_in_words(answer.body):
        why = f"The vendor answered {answer.status} with an error."
        return Unknown(why=f"{why} It says: {answer.says or 'nothing'}")
    if success and not wording.is_plain_success(answer.body):
        why = f"The vendor answered {answer.status}, with words that MailOps does not know."
        return Unknown(why=_with_words(why, answer))
    return success or Unknown(
        why=f"The vendor answered {answer.status}, but the answer can't be read."
    )


def _refused(api: DocumentedShapes, order: OrderLike, answer: Answer) -> Refused | Unknown:
    refusal = api.refusal(order, answer)
    if refusal is None:
        why = f"The vendor answered {answer.status} in a form it does not document."
        return Unknown(why=_with_words(why, answer))
    return _doubt(api, order, answer) or refusal


def _throttled(api: DocumentedShapes, order: OrderLike, answer: Answer) -> NotSent | Unknown:
    """A proxy, or a server that counts after it charged, answers 429 too.

    So only the vendor's own documented body proves that nothing was bought.
    """
    if not api.is_throttled(answer):
        why = "The vendor answered 429 in a form it does not document."
        return Unknown(why=_with_words(why, answer))
    wait = replies.retry_after(answer.reply)
    if wait is None:
        wait = replies.seconds_to(api.wait_of(answer))
    return _doubt(api, order, answer) or NotSent(
        why="The vendor asks us to slow down.", retry_after=wait
    )


def _doubt(api: DocumentedShapes, order: OrderLike, answer: Answer) -> Unknown | None:
    """Why a documented refusal may have bought something after all."""
    if doubts.names_an_order(answer.body) or doubts.headers_name_an_order(answer.reply.headers):
        why = f"The vendor answered {answer.status}, and yet it names an order."
        return Unknown(why=_with_words(why, answer))
    own = [line.name for line in order.contents]
    addresses = [box.address for line in order.contents for box in line.mailboxes]
    own += [*addresses, *(address.partition("@")[0] for address in addresses)]
    if doubts.speaks_of_money_or_an_order(
        answer.body,
        own_names=own,
        is_about_key=answer.status in ABOUT_KEY,
        more=api.doubtful_words,
    ):
        why = "The vendor refused, yet its words may speak of money taken or of an order."
        return Unknown(why=_with_words(why, answer))
    if answer.status == 429:
        is_understood = wording.is_plain_throttling(answer.body)
    else:
        is_understood = wording.is_plain_refusal(answer.body, own_names=own)
    if is_understood:
        return None
    why = f"The vendor answered {answer.status} in words that MailOps does not know."
    return Unknown(why=_with_words(why, answer))


def _with_words(why: str, answer: Answer) -> str:
    return f"{why} It says: {answer.says}" if answer.says else why


def _without_secrets(verdict: Verdict, secrets: Mapping[str, str]) -> Verdict:
    """The verdict with every text free of secrets, whatever way the text came in."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return redact_text(value, secrets)
        if isinstance(value, tuple):
            return tuple(clean(item) for item in value)
        if isinstance(value, dict):
            return {name: clean(item) for name, item in value.items()}
        if isinstance(value, Problem):
            return replace(
                value,
                message=clean(value.message),
                fix=clean(value.fix),
                vendor_says=clean(value.vendor_says),
            )
        return value

    return replace(verdict, **{name: clean(value) for name, value in vars(verdict).items()})
