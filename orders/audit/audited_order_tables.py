"""The tables of this app that leave traces where they change and no event tells of it."""

from mailops.core.sql_triggers import AuditedTable

TRACED = (
    AuditedTable(table="orders_order", secret=("sealed",), quiet=("rung_at", "progress_at")),
    AuditedTable(
        table="orders_domain", quiet=("head", "tail")
    ),  # worked out by the database from the name
    AuditedTable(table="orders_mailbox"),
    AuditedTable(table="orders_attempt"),
    AuditedTable(table="orders_client", quiet=("limits_changed_at",)),
    AuditedTable(table="orders_editor"),
    AuditedTable(table="orders_neverbuy"),
    AuditedTable(table="orders_confirmation"),
    AuditedTable(table="orders_confirmationrule"),
    AuditedTable(table="orders_delegation"),
    AuditedTable(table="orders_match"),
    AuditedTable(table="orders_finding"),
)
