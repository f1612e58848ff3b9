"""The database's own rule that an order's contents change in a draft alone, whatever program asks."""

from __future__ import annotations

from mailops.core.sql_triggers import Trigger, differ

_SAYS = "The contents of an order change in a draft alone"
# Sealed passwords are left out: they are sealed anew when the installation's key changes. The
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
            message=_SAYS,
            when=_past_draft("NEW"),
        ),
        Trigger(
            name=f"{kind}_removed_in_a_draft",
            table=table,
            event="DELETE",
            message=_SAYS,
            when=_past_draft("OLD"),
        ),
        Trigger(
            name=f"{kind}_changed_in_a_draft",
            table=table,
            event="UPDATE",
            columns=columns,
            message=_SAYS,
            when=changed,
        ),
    )


TRIGGERS = (
    Trigger(
        name="order_changed_in_a_draft",
        table="orders_order",
        event="UPDATE",
        columns=_ORDER,
        message=_SAYS,
        when=f"OLD.state <> 'draft' AND ({differ(*_ORDER)})",
    ),
    *_assets("domain", _DOMAIN, f" OR {_MAILBOXES_ON_IT}"),
    *_assets("mailbox", _MAILBOX),
)
