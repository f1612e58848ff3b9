"""The vendor's stored answers on an order's names, their age, and the problems that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from mailops.templatetags.page_filters import age
from orders.models import Asking, Availability, Order, State
from orders.models.name_availability import Answer, AvailabilityQuerySet
from vendors.apis.values import DomainLine
from vendors.verdicts import Problem

ASKED_IN = (State.DRAFT, State.REVIEW)


@dataclass(frozen=True, kw_only=True)
class Word:
    """One name of the order and the vendor's newest answer on it."""

    line: DomainLine
    told: Availability | None
    is_fresh: bool
    is_wrong: bool  # taken, though it is to be registered; or free, though it must exist

    @property
    def row(self) -> int | None:
        return self.line.row or (self.line.mailboxes[0].row if self.line.mailboxes else None)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """All names of an order with the vendor's answer on each."""

    words: tuple[Word, ...]
    registers: bool
    now: datetime

    @cached_property
    def wrong(self) -> list[Word]:
        return [word for word in self.words if word.is_wrong]

    @cached_property
    def not_fresh(self) -> list[Word]:
        # Never asked for, or too long ago.
        return [word for word in self.words if not word.is_fresh]

    @cached_property
    def says(self) -> list[dict[str, str]]:
        """Lines for a list of checks: how many names have each answer, and its greatest age.

        A line is good, bad or worth a look; `none` says nothing about the order either way.
        """
        found = []
        for state in Answer:
            told = [word for word in self.words if word.told and word.told.state == state]
            for is_fresh in (True, False):
                rows = [word.told for word in told if word.told and word.is_fresh == is_fresh]
                if ages := [row.asked_at for row in rows if row.asked_at]:
                    text = f"{len(rows)} {self._words(state)} (asked {age(min(ages))})"
                    found.append({"kind": self._kind(state, is_fresh=is_fresh), "text": text})
        if never := len([word for word in self.words if not word.told]):
            found.append({"kind": "none", "text": f"{never} not asked"})
        return found

    def _words(self, state: str) -> str:
        if state == Answer.UNKNOWN:
            return "left open by the vendor"
        if self.registers:
            return "free" if state == Answer.FREE else "taken"
        if state == Answer.FREE:
            return "free, so nobody holds it yet"
        return "registered, by whom it does not say"

    def _kind(self, state: str, *, is_fresh: bool) -> str:
        if self.registers and is_fresh and state != Answer.UNKNOWN:
            return "ok" if state == Answer.FREE else "fail"
        # Anybody may have registered a name, so that says nothing about this account.
        return "none" if not self.registers and state == Answer.TAKEN else "warn"


def asked_with(order: Order) -> str:
    """The option that a question about the order's names carries: the answer may depend on it."""
    return str(order.options.get(order.vendor.adapter.availability_option) or "")


def asked_about(order: Order) -> AvailabilityQuerySet:
    """Rows of the order's names at its vendor, as the order would ask for them now."""
    names = [line.name for line in order.contents]
    return Availability.objects.about(
        names, vendor_id=order.vendor_id, asked_with=asked_with(order)
    )


def newest_answers(order: Order) -> Mapping[str, Availability]:
    """The vendor's newest answer on each of the order's names that was ever asked for."""
    # Five parts of one page ask for them, so the order keeps them.
    if order.answers is None:
        found = asked_about(order).exclude(asked_at=None).order_by()
        order.answers = {row.name: row for row in found}
    return order.answers


def standing(order: Order) -> Standing:
    now, registers = timezone.now(), order.product_spec.registers_names
    bad = Answer.TAKEN if registers else Answer.FREE
    words, answers = [], newest_answers(order)
    for line in order.contents:
        row = answers.get(line.name.lower())
        words.append(
            Word(
                line=line,
                told=row,
                is_fresh=row is not None and row.is_fresh(now),
                is_wrong=row is not None and row.state == bad,
            )
        )
    return Standing(words=tuple(words), registers=registers, now=now)


def problems(order: Order) -> list[Problem]:
    """Problems of names that this order can't have, by the vendor's answer."""
    # A fresh answer stops a draft. An old one, or any once the order waits for a confirmer, is a
    # warning with its age: a wrong answer must not block an order for ever.
    if order.state not in ASKED_IN or not order.vendor.adapter.can_tell_availability:
        return []
    label = order.vendor.adapter.label
    return [_problem(order, word, label) for word in standing(order).wrong]


def _problem(order: Order, word: Word, label: str) -> Problem:
    assert word.told and word.told.asked_at
    said = f"{label} said so {age(word.told.asked_at)}"
    if not order.product_spec.registers_names:
        return Problem(
            message=f"{word.line.name} is not registered by anybody: {said}.",
            fix="Buy it first, or correct its spelling. If you just bought it, ask again.",
            field="domain",
            row=word.row,
            level="warn",
        )
    is_stop = word.is_fresh and order.state == State.DRAFT
    extra = f" {word.told.says}" if word.told.says else ""
    return Problem(
        message=f"{word.line.name} is taken: {said}.{extra}",
        fix="Take it out or choose another name. If you think it is free, ask again.",
        field="domain",
        row=word.row,
        level="stop" if is_stop else "warn",
    )


def told(order: Order) -> list[dict[str, str]]:
    # For the list of checks on a page. Every name is counted, those nobody asked for as well.
    label = order.vendor.adapter.label
    if order.state not in ASKED_IN or not order.contents:
        return []
    if not order.vendor.adapter.can_tell_availability:
        if not order.product_spec.registers_names:
            return []
        text = f"Nobody looked whether the domains are free: MailOps can't ask {label}"
        return [{"kind": "none", "text": text}]
    found = standing(order)
    counts = "; ".join(line["text"] for line in found.says)
    kinds = {line["kind"] for line in found.says}
    kind = "warn" if kinds & {"warn", "fail"} else "none" if "none" in kinds else "ok"
    return [{"kind": kind, "text": f"{label} about the domains: {counts}"}]


def asking_of(order: Order) -> Asking | None:
    return order.askings.first()
