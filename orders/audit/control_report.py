"""The control report: for people who look after the others, what happened in a period.

Each section is a function from a period to its lines, computed from records. A section without
lines says so: "nothing found" is an answer too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.timesince import timesince

from mailops.history.models import Event
from orders.audit import role_periods
from orders.audit.evidence_pack.scope import ORDER
from orders.audit.report_lines import MOST_LINES, Cut, Line, Period, in_words, line, lines
from orders.models import Order, Refund, State
from vendors.models import PriceVersion

# Fields of accounts and clients that count as rules, and tables of which every field does.
RULES = [
    "order_limit", "day_limit", "month_limit", "limit_currency", "balance_floor",
    "drift_per_order", "drift_cumulative", "two_person_rule", "hold_minutes", "confirmers",
    "mode", "api_key",
]  # fmt: skip
ALL_RULES = ["orders.confirmationrule", "auth.group"]
SAME_SUBJECT = {"subject_type": OuterRef("subject_type"), "subject_id": OuterRef("subject_id")}
SETTLED = [
    "order.settled_as_placed",
    "order.settled_as_partly_placed",
    "order.settled_as_not_placed",
]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One question about the period and its answer."""

    key: str
    title: str
    meaning: str
    ask: str
    lines: Sequence[Line]
    count: int  # of all lines, shown or not; where something is `cut`, there are more
    worry: bool = False  # a line here is worth a look by itself
    cut: Sequence[str] = ()

    @property
    def more(self) -> int:
        return max(self.count - len(self.lines), 0)

    @property
    def left_out(self) -> str:
        at_least = "at least " if self.cut else ""
        more = [f"And {at_least}{self.more:,} more."] if self.more else []
        ends = ["Choose a shorter period to see them."] if more or self.cut else []
        return " ".join([*more, *self.cut, *ends])


def sections(period: Period) -> Iterator[Section]:
    for key, title, meaning, ask, worry, find in SECTIONS:
        found = list(find(period))
        shown = [one for one in found if isinstance(one, Line)]
        cut = [one.says for one in found if isinstance(one, Cut)]
        about = {"key": key, "title": title, "meaning": meaning, "ask": ask}
        yield Section(**about, worry=worry, lines=shown[:MOST_LINES], count=len(shown), cut=cut)


Find = Callable[[Period], Iterable[Line | Cut]]


def _of(*actions: str) -> Find:
    return lambda period: lines(period.events(*actions))


def _earlier(*actions: str) -> QuerySet[Event]:
    """Records of the same subject before the outer query's record."""
    return Event.objects.filter(**SAME_SUBJECT, action__in=actions, number__lt=OuterRef("number"))


# Sections that are more than a list of records


def overrides(period: Period) -> Iterator[Line | Cut]:
    # Uses of the exceptions that the rules themselves offer.
    reasoned = period.events("order.confirmed").exclude(reason="")
    yield from lines(
        reasoned, "orders confirmed with a word of why", lambda e: line(e, f"Confirmed. {e.reason}")
    )
    again = Order.objects.filter(
        confirmed_at__gte=period.since, confirmed_at__lt=period.until
    ).exclude(why_again="")
    yield from lines(again.order_by("confirmed_at"), "orders that repeat an earlier one", _repeat)
    # A second verdict on the same order is a revision.
    settled = period.events(*SETTLED).annotate(again=Exists(_earlier(*SETTLED)))
    yield from lines(settled, "verdicts", _verdict)
    yield from lines(
        period.events("attempt.prices_moved", "attempt.news_read"), "orders whose prices moved"
    )


def _repeat(order: Order) -> Line:
    what = f"Ordered again although it looks like an earlier order: {order.why_again}"
    return Line(
        at=order.confirmed_at,
        who=order.confirmed_by_name,
        what=what,
        about=str(order),
        order=order.pk,
    )


def _verdict(event: Any) -> Line:
    words = "Verdict revised" if event.again else "Verdict on an unknown outcome"
    return line(event, f"{words}: {in_words(event, ['left_out'])}")


def rule_changes(period: Period) -> Iterator[Line | Cut]:
    some = Q(subject_type__in=["vendors.vendor", "orders.client"], changes__has_any_keys=RULES)
    found = period.events().filter(some | Q(subject_type__in=ALL_RULES))
    return lines(found, to_line=_rule_change)


def _rule_change(event: Event) -> Line:
    return line(event, in_words(event, [] if event.subject_type in ALL_RULES else RULES))


def late_edits(period: Period) -> Iterator[Line | Cut]:
    # Edits before the first confirmation are ordinary drafting.
    return lines(period.events("order.edited").filter(Exists(_earlier("order.confirmed"))))


def unknowns(period: Period) -> Iterator[Line | Cut]:
    # Orders that are open now are listed whatever the period: nobody may overlook them.
    now = timezone.now()

    def still_open(order: Order) -> Line:
        age = timesince(order.state_since, now, depth=1)
        what = f"Still open, for {age}. {order.reason}".strip()
        return Line(at=order.state_since, who="", what=what, about=str(order), order=order.pk)

    unknown = Order.objects.filter(state=State.UNKNOWN).order_by("state_since")
    yield from lines(unknown, "those that are open now", still_open)
    earlier = Event.objects.filter(**SAME_SUBJECT, number__lt=OuterRef("number"))
    began = earlier.filter(changes__state__1="unknown")
    ended = period.events().filter(subject_type=ORDER, changes__state__0="unknown")
    timed = ended.annotate(began=Subquery(began.order_by("-number").values("at")[:1]))
    yield from lines(timed, "those that ended in the period", _ended)


def _ended(event: Any) -> Line:
    # The record of the beginning may have been archived.
    took = timesince(event.began, event.at, depth=1) if event.began else "a time not known"
    return line(event, f"Ended after {took}. {in_words(event, ['reference', 'left_out'])}")


def money_back(period: Period) -> Iterator[Line | Cut]:
    # What is open now is listed whatever the period, as with unknown outcomes.
    asked = Refund.objects.filter(state=Refund.Stage.ASKED).select_related("order", "vendor")
    yield from lines(asked.order_by("on", "pk"), "those that are open now", _still_asked)
    yield from lines(period.events("refund.asked", "refund.got", "refund.denied"))


def _still_asked(refund: Refund) -> Line:
    what = f"Still open: {refund.shown} was asked for on {refund.on:%-d %b %Y}. {refund.note}"
    about = str(refund.order or refund.vendor)
    return Line(
        at=refund.at, who=refund.by_name, what=what.strip(), about=about, order=refund.order_id
    )


def prices(period: Period) -> Iterator[Line | Cut]:
    found = PriceVersion.objects.filter(at__gte=period.since, at__lt=period.until).select_related(
        "vendor", "before"
    )
    return lines(found.order_by("pk"), "these changes", _price)


def _price(version: PriceVersion) -> Line:
    before = f"{version.before.says} became " if version.before else ""
    what = f"{version.label or version.item}: {before}{version.says}. {version.source}"
    return Line(at=version.at, who=version.set_by, what=what, about=str(version.vendor))


def roles(period: Period) -> Iterator[Line | Cut]:
    for one in role_periods.spans(period.since, period.until):
        yield Line(at=one.since, who=one.person, what=one.says, about=one.role, record=one.record)
    if role_periods.is_cut(period.since):
        most = f"{role_periods.MOST_CHANGES:,}"
        yield Cut(
            f"Of the changes of roles since then only the first {most} were read, so the times here"
            " may be wrong."
        )
    yield from lines(
        period.events("delegation.made", "delegation.ended"), "rights that were passed on"
    )


def taken_out(period: Period) -> Iterator[Line | Cut]:
    # These fields say what a file held.
    names = ["filter", "rows", "form", "first", "last"]
    found = period.events("evidence.exported", "list.exported", "report.shown")
    return lines(found, to_line=lambda event: line(event, in_words(event, names)))


# Key, title, meaning, question to the reader, worth a look by itself, lines.
SECTIONS: list[tuple[str, str, str, str, bool, Find]] = [
    (
        "self",
        "Attempts to confirm one's own order",
        (
            "Somebody pressed “confirm” on an order that they had edited. MailOps and the database"
            " refused it."
        ),
        "Was it a slip, or did somebody try to do without the second person?",
        True,
        _of("order.self_confirmation_refused"),
    ),
    (
        "overrides",
        "Exceptions that somebody made use of",
        (
            "Orders confirmed by one person where the account's rule allows it, repeats with the"
            " drafter's reason, verdicts on unknown outcomes, and orders sent at a higher price"
            " within what was allowed."
        ),
        "Does each reason say how the person knew? Are there more of them than last time?",
        False,
        overrides,
    ),
    (
        "rules",
        "Limits, rules and keys changed",
        (
            "Changes of what an order, a day or a month may cost, of the two-person rule, of price"
            " tolerances, of waiting times and of keys."
        ),
        "Who asked for it, and was it put back afterwards? Was something large bought soon after?",
        True,
        rule_changes,
    ),
    (
        "edits",
        "Orders edited after a confirmation",
        (
            "An order was confirmed once, came back unsent or was sent back, and its contents were"
            " edited. It then needs a fresh confirmation."
        ),
        "Did the second confirmer see what changed?",
        True,
        late_edits,
    ),
    (
        "switch",
        "Sending stopped and opened again",
        (
            "Who held all sending or one account's, why, and who let it go on. MailOps stops an"
            " account by itself after refused keys and unknown outcomes, and holds it after a"
            " refusal for want of money."
        ),
        "Was the cause found before it was opened again?",
        False,
        _of(
            "sending.held",
            "sending.released",
            "vendor.stopped",
            "vendor.resumed",
            "vendor.no_funds",
            "vendor.funds_let_go_on",
            "vendor.balance_forgotten",
        ),
    ),
    (
        "unknown",
        "Unknown outcomes",
        (
            "Orders of which nobody knew whether the vendor charged them: those open today,"
            " whatever the period, and how long it took to settle those that ended in it."
        ),
        "Why is one older than a day? Do the vendor's bills agree with the verdicts?",
        True,
        unknowns,
    ),
    (
        "back",
        "Money back",
        (
            "Money that vendors were asked to give back: what is still open today, whatever the"
            " period, and what was asked for, came or was denied in it."
        ),
        "Does the vendor's statement show what is said to have come? Who asks again, and when?",
        True,
        money_back,
    ),
    (
        "processed",
        "Created orders that were processed, or left",
        (
            "Orders that a vendor only created: who said that one was processed there and what was"
            " paid for it, or ended it here while it still stands at the vendor."
        ),
        "Do the vendor's bills agree? Does anybody still process what was left?",
        False,
        _of("order.processed", "order.left"),
    ),
    (
        "gone",
        "What never came, or is gone",
        "Domains and mailboxes that somebody gave up, and those that were there after all.",
        "Was the money asked for? Do domains vanish at one vendor more than at others?",
        False,
        _of("order.not_coming", "domain.gone", "mailbox.gone", "domain.back", "mailbox.back"),
    ),
    (
        "chain",
        "Checks of the history",
        (
            "Each time that the chain of records was read through, what was found, and fingerprints"
            " that were put away."
        ),
        "Was it checked at all? Does a fingerprint kept elsewhere still match?",
        False,
        _of(
            "history.verified", "history.found_broken", "history.digest_written", "history.archived"
        ),
    ),
    (
        "outside",
        "Changes that went past MailOps",
        "Rows that were changed in the database itself, by no page and no command of MailOps.",
        "Who had the database's password that day, and what was it for?",
        True,
        _of("outside.changed", "shell.changed"),
    ),
    (
        "prices",
        "Prices changed",
        "Every change of a price, typed or read from a vendor.",
        "Does a typed price agree with the vendor's list?",
        False,
        prices,
    ),
    (
        "roles",
        "Who held which role, and when",
        "Worked out backwards from the roles of today and the records of every change.",
        "Does everybody still need theirs? Did somebody hold one for a few hours only?",
        False,
        roles,
    ),
    (
        "doors",
        "Sign-ins that failed, and lock-outs",
        (
            "Wrong passwords and second factors, and names or addresses that were locked out for a"
            " while."
        ),
        "Do many come from one place, or hit one person?",
        True,
        _of("user.sign_in_failed", "user.locked_out", "user.second_factor_removed"),
    ),
    (
        "proposals",
        "Proposals",
        "Changes that need a second person: proposed, approved, declined, withdrawn.",
        "Do the same two people approve each other's?",
        False,
        _of(
            "proposal.made",
            "proposal.approved",
            "proposal.declined",
            "proposal.withdrawn",
            "proposal.expired",
            "proposal.self_approval_refused",
        ),
    ),
    (
        "left",
        "What was taken out of MailOps",
        "Evidence packs, exported lists and control reports, with who made them.",
        "Where are those files now?",
        False,
        taken_out,
    ),
]
