"""The tables of a pack, for spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mailops.history.models import Event
from orders.audit.evidence_pack.contents import as_json

ORDERS, CONTENTS, ATTEMPTS, RECORDS = "orders.csv", "contents.csv", "attempts.csv", "records.csv"
IN_WORDS = "in_words.csv"
HEADINGS = {
    ORDERS: [
        "Order", "State", "Since", "Account", "Vendor", "What", "Client", "Drafted by",
        "Edited by", "Confirmed by", "Confirmed at", "Due now",
        "Due when processed", "Currency", "Vendor's reference",
        "Digest", "Note", "Why again",
    ],
    IN_WORDS: ["Order", "What", "In words", "Remark"],
    CONTENTS: [
        "Order", "Domain", "Domain's state", "Years", "Forwards to", "Address", "First name",
        "Last name", "State", "Ordered", "Ready",
    ],
    ATTEMPTS: [
        "Order", "No.", "Outcome", "Why", "Taken up", "Sent", "Ended", "Answer's status", "Answer",
        "Vendor's reference", "Verdict by", "Verdict's reason", "Verdict at", "Late answer",
        "Digest", "Fingerprint of the bytes", "Worker", "Processed at the vendor", "Processed by",
    ],
    RECORDS: [
        "Record", "When", "Who", "Worker", "From where", "Request", "What", "On what", "Kind",
        "Its number", "Reason", "Changes", "Attempt", "Hash of the record before", "Hash",
    ],
}  # fmt: skip


def of_order(content: Mapping[str, Any]) -> dict[str, list[list[Any]]]:
    # An order in two currencies has two lines, so that a spreadsheet can add up the amounts.
    due_now, due_later = (content["cost"].get(name, {}) for name in ("due_now", "due_later"))
    currencies = sorted({*due_now, *due_later}) or [""]
    orders = [
        [
            content["order"], content["state_shown"], content["state_since"], content["account"],
            content["vendor"], content["product"], content["client"], content["drafted_by_name"],
            ", ".join(content["edited_by"]), content["confirmed_by_name"], content["confirmed_at"],
            _number(due_now.get(currency)), _number(due_later.get(currency)), currency,
            content["reference"], content["digest"], content["note"],
            content["why_again"],
        ]
        for currency in currencies
    ]  # fmt: skip
    attempts = [
        [
            content["order"], each["number"], each["stage_shown"], each["why"], each["claimed_at"],
            each["sent_at"], each["ended_at"], each["reply_status"], each["reply_body"],
            each["reference"], each["settled_by_name"], each["settled_reason"], each["settled_at"],
            each["late_answer"], each["digest"], each["body_sha256"], each["worker"],
            each["processed_at"], each["processed_by"],
        ]
        for each in content["attempts"]
    ]  # fmt: skip
    contents = [
        row for domain in content["contents"] for row in _contents(content["order"], domain)
    ]
    in_words = [
        [content["order"], one["label"], one["words"], one["more"]] for one in content["in_words"]
    ]
    return {ORDERS: orders, IN_WORDS: in_words, CONTENTS: contents, ATTEMPTS: attempts}


def _contents(order: str, domain: Mapping[str, Any]) -> list[list[Any]]:
    about = [order, domain["name"], domain.get("state"), domain.get("years")]
    about.append(domain.get("forward_to"))
    # A domain without mailboxes has a row too.
    alone = [{"address": "", **domain}] if not domain["mailboxes"] else []
    return [
        [
            *about, box["address"], box.get("first_name"), box.get("last_name"), box.get("state"),
            box.get("ordered_at"), box.get("ready_at"),
        ]
        for box in [*alone, *domain["mailboxes"]]
    ]  # fmt: skip


def record_row(event: Event) -> list[Any]:
    return [
        event.number, event.at, event.who, event.worker, event.origin, event.request_id,
        event.action, event.subject, event.subject_type, event.subject_id, event.reason,
        as_json(event.changes), event.attempt, event.previous_hash, event.hash,
    ]  # fmt: skip


def _number(amount: str | None) -> Any:
    # As a number, so that a spreadsheet can add it up.
    return Decimal(amount) if amount else None
