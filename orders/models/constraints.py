"""All that the database itself refuses about orders, whatever program asks.

`orders/apps.py` installs the triggers after each `migrate`; the health page looks for them. In SQL
fragments `@` stands for the order's row.
"""

from __future__ import annotations

from dataclasses import replace

from mailops.core.sql_triggers import Trigger, append_only, differ

# How many persons have to confirm an order: `confirming_rights.needed` in SQL, for triggers and
# lists. A test compares the two.
_NOW, _LATER = "@.cost->'due_now'", "@.cost->'due_later'"


def _other_currency(due: str, *, without: str) -> str:
    """True where the amounts have another currency than the rule's; `without` is for no amounts."""
    text = f"COALESCE(CAST({due} AS TEXT), '{without}')"
    several = f"REPLACE({text}, ',', '') <> {text}"
    return f"{several} OR ({text} <> '{{}}' AND ({due}->>r.currency) IS NULL)"


# An order without its sum may cost anything. Without `due_later` nothing is due later.
_OTHERS = f"{_other_currency(_NOW, without=',')} OR {_other_currency(_LATER, without='{}')}"
_NOW_SUM, _LATER_SUM = (f"CAST({due}->>r.currency AS NUMERIC)" for due in (_NOW, _LATER))
# Rounded, since SQLite adds decimals as floating point numbers. NULL without both.
_SUM = f"ROUND(COALESCE({_NOW_SUM} + COALESCE({_LATER_SUM}, 0), {_LATER_SUM}), 6)"
_FIRST = (
    "@.contact_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM orders_order b WHERE b.contact_id ="
    " @.contact_id AND b.id <> @.id AND b.state IN ('accepted', 'partly', 'undelivered',"
    " 'delivered'))"
)
NEEDED = (
    "COALESCE((SELECT MAX(r.confirmers) FROM orders_confirmationrule r"  # noqa: S608  (our own words)
    " WHERE (r.vendor_id IS NULL OR r.vendor_id = @.vendor_id) AND (r.client_id IS NULL OR"
    " r.client_id = @.client_id)"
    f" AND (NOT r.first_contact OR ({_FIRST}))"
    f" AND (r.from_amount IS NULL OR {_OTHERS} OR {_SUM} >= r.from_amount)),"
    " (SELECT CASE WHEN v.two_person_rule THEN 1 ELSE 0 END FROM vendors_vendor v WHERE v.id ="
    " @.vendor_id))"
)


def kept(
    table: str, message: str, *, stays: tuple[str, ...], may_go: tuple[str, ...]
) -> tuple[Trigger, ...]:
    """Rules by which rows are only added; columns that `may_go` may become NULL."""
    # They do when a user is deleted.
    rules = append_only(table, message)
    set_anew = [
        f"(NEW.{c} IS NOT NULL AND (OLD.{c} IS NULL OR NEW.{c} <> OLD.{c}))" for c in may_go
    ]
    return (replace(rules[0], when=" OR ".join([*set_anew, differ("id", *stays)])), *rules[1:])


_NO_EDITOR = "Somebody who edited an order may not confirm it"
_CONFIRMER_EDITED = (
    "NEW.confirmed_by_id IS NOT NULL"  # noqa: S608  (our own words)
    " AND EXISTS (SELECT 1 FROM orders_editor e WHERE e.order_id = NEW.id AND (e.user_id ="
    " NEW.confirmed_by_id"
    " OR e.name = (SELECT u.username FROM auth_user u WHERE u.id = NEW.confirmed_by_id)))"
    f" AND {NEEDED.replace('@', 'NEW')} > 0"
)
_EDITOR_CONFIRMED = (
    "EXISTS (SELECT 1 FROM orders_order o WHERE o.id = NEW.order_id AND "
    "o.confirmed_by_id = NEW.user_id AND o.confirmers_needed > 0)"
    " OR EXISTS (SELECT 1 FROM orders_order o JOIN"
    " orders_confirmation c ON c.order_id = o.id AND c.round = o.round WHERE o.id = NEW.order_id"
    " AND o.state <> 'draft' AND (c.user_id = NEW.user_id OR c.name = NEW.name))"
)
NO_EDITOR_CONFIRMS = (
    Trigger(
        name="order_confirmer_is_no_editor_insert",
        table="orders_order",
        event="INSERT",
        message=_NO_EDITOR,
        when=_CONFIRMER_EDITED,
    ),
    Trigger(
        name="order_confirmer_is_no_editor_update",
        table="orders_order",
        event="UPDATE",
        columns=("confirmed_by_id",),
        message=_NO_EDITOR,
        when=_CONFIRMER_EDITED,
    ),
    Trigger(
        name="order_editor_is_no_confirmer",
        table="orders_editor",
        event="INSERT",
        message=_NO_EDITOR,
        when=_EDITOR_CONFIRMED,
    ),
    *kept(
        "orders_editor",
        "Who edited an order is kept for good",
        stays=("order_id", "name"),
        may_go=("user_id",),
    ),
)

_BY_EDITOR = (
    "EXISTS (SELECT 1 FROM orders_editor e WHERE e.order_id = c.order_id AND (e.user_id IN"
    " (c.user_id, c.for_user_id) OR (e.name <> '' AND e.name IN (c.name, c.for_name))))"
)
# An editor's confirmation does not count, whenever they became an editor.
_GIVEN = (
    "(SELECT COUNT(*) FROM orders_confirmation c WHERE c.order_id = @.id AND c.round = @.round"  # noqa: S608  (our own words)
    f" AND c.digest = @.digest AND NOT {_BY_EDITOR})"
)
_LACKS = (
    f"(@.confirmed_by_id IS NULL OR @.confirmers_needed IS NULL OR @.confirmers_needed < {NEEDED}"
    f" OR {_GIVEN} < @.confirmers_needed)"
)
_ON_ITS_WAY = "('confirmed', 'sending')"
_BECOMES = f"NEW.state IN {_ON_ITS_WAY} AND OLD.state NOT IN {_ON_ITS_WAY}"
_STAYS = f"NEW.state IN {_ON_ITS_WAY} AND OLD.state IN {_ON_ITS_WAY}"
_SAME_PERSON = (
    "EXISTS (SELECT 1 FROM orders_confirmation c WHERE c.order_id = NEW.order_id AND c.round ="
    " NEW.round AND c.digest = NEW.digest AND (c.user_id IN (NEW.user_id, NEW.for_user_id) OR"
    " c.name IN (NEW.name, NEW.for_name) OR c.for_user_id IN (NEW.user_id, NEW.for_user_id) OR"
    " (c.for_name <> '' AND c.for_name IN (NEW.name, NEW.for_name))))"
)


def _over(sql: str, row: str) -> str:
    return sql.replace("@", row)


_CONFIRMED = ("digest", "snapshot", "cost", "confirmers_needed", "round")
HAS_ITS_CONFIRMATIONS = (
    Trigger(
        name="order_has_its_confirmations",
        table="orders_order",
        event="UPDATE",
        columns=("state",),
        message="This order lacks confirmations",
        when=f"{_BECOMES} AND {_over(_LACKS, 'NEW')}",
    ),
    Trigger(
        name="order_is_not_born_confirmed",
        table="orders_order",
        event="INSERT",
        message="This order lacks confirmations",
        when=f"NEW.state IN {_ON_ITS_WAY}",
    ),
    Trigger(
        name="order_stays_as_confirmed",
        table="orders_order",
        event="UPDATE",
        columns=_CONFIRMED,
        message="What was confirmed can not be changed",
        when=f"{_STAYS} AND ({differ(*_CONFIRMED)})",
    ),
    Trigger(
        name="order_waits_in_a_new_round",
        table="orders_order",
        event="UPDATE",
        columns=("state", "round"),
        message="Confirmations count for one round",
        when=(
            "NEW.round < OLD.round OR (NEW.state = 'review' AND OLD.state <> 'review' AND NEW.round"
            " <= OLD.round)"
        ),
    ),
    Trigger(
        name="confirmation_by_no_editor",
        table="orders_confirmation",
        event="INSERT",
        message="Somebody who edited an order may not confirm it",
        when=_BY_EDITOR.replace("c.", "NEW."),
    ),
    Trigger(
        name="confirmation_by_another_person",
        table="orders_confirmation",
        event="INSERT",
        message="The second confirmation has to come from another person",
        when=_SAME_PERSON,
    ),
    *kept(
        "orders_confirmation",
        "Confirmations are kept for good",
        stays=("order_id", "round", "digest", "name", "for_name", "at", "planned_for"),
        may_go=("user_id", "for_user_id"),
    ),
)


_DRAFT_ALONE = "The contents of an order change in a draft alone"
# Sealed passwords are left out: they are sealed again when the installation's key changes. The
# digest covers them.
_ORDER = (
    "vendor_id",
    "product",
    "client_id",
    "contact_id",
    "forward_to",
    "options",
    "note",
    "why_again",
)
_DOMAIN = (
    "name",
    "vendor_id",
    "order_id",
    "years",
    "forward_to",
    "first_name",
    "last_name",
    "picture",
    '"row"',
)
_MAILBOX = (
    "order_id",
    "domain_id",
    "username",
    "address",
    "first_name",
    "last_name",
    "picture",
    '"row"',
)


def _past_draft(*rows: str) -> str:
    orders = ", ".join(f"{row}.order_id" for row in rows)
    return f"EXISTS (SELECT 1 FROM orders_order o WHERE o.id IN ({orders}) AND o.state <> 'draft')"  # noqa: S608  (our own words)


_MAILBOXES_ON_IT = (
    "(NEW.name <> OLD.name AND EXISTS (SELECT 1 FROM orders_mailbox m JOIN orders_order o ON o.id ="
    " m.order_id WHERE m.domain_id = OLD.id AND o.state <> 'draft'))"
)


def _assets(kind: str, columns: tuple[str, ...], also: str = "") -> tuple[Trigger, ...]:
    table = f"orders_{kind}"
    changed = f"({differ(*columns)}) AND ({_past_draft('OLD', 'NEW')}{also})"
    return (
        Trigger(
            name=f"{kind}_added_in_a_draft",
            table=table,
            event="INSERT",
            message=_DRAFT_ALONE,
            when=_past_draft("NEW"),
        ),
        Trigger(
            name=f"{kind}_removed_in_a_draft",
            table=table,
            event="DELETE",
            message=_DRAFT_ALONE,
            when=_past_draft("OLD"),
        ),
        Trigger(
            name=f"{kind}_changed_in_a_draft",
            table=table,
            event="UPDATE",
            columns=columns,
            message=_DRAFT_ALONE,
            when=changed,
        ),
    )


CHANGES_IN_A_DRAFT_ALONE = (
    Trigger(
        name="order_changed_in_a_draft",
        table="orders_order",
        event="UPDATE",
        columns=_ORDER,
        message=_DRAFT_ALONE,
        when=f"OLD.state <> 'draft' AND ({differ(*_ORDER)})",
    ),
    *_assets("domain", _DOMAIN, f" OR {_MAILBOXES_ON_IT}"),
    *_assets("mailbox", _MAILBOX),
)


RULES = (
    (NO_EDITOR_CONFIRMS, "that an editor confirms an order"),
    (HAS_ITS_CONFIRMATIONS, "that an order goes out without its confirmations"),
    (CHANGES_IN_A_DRAFT_ALONE, "changes of an order that is no draft"),
)
TRIGGERS = tuple(trigger for triggers, _ in RULES for trigger in triggers)
