"""The tables of this app that leave traces where they change and no event tells of it."""

from mailops.core.sql_triggers import Traced

TRACED = (
    Traced(table="orders_order", secret=("sealed",), quiet=("rung_at", "progress_at")),
    Traced(table="orders_domain", quiet=("head", "tail")),  # worked out by the database from the name
    Traced(table="orders_mailbox"),
    Traced(table="orders_attempt"),
    Traced(table="orders_client"),
    Traced(table="orders_editor"),
    Traced(table="orders_neverbuy"),
    Traced(table="orders_confirmation"),
    Traced(table="orders_confirmationrule"),
    Traced(table="orders_delegation"),
    Traced(table="orders_match"),
    Traced(table="orders_finding"),
)
