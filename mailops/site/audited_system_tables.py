"""Audited tables of Django and of the queue: users, rights, schedules."""

from mailops.core.sql_triggers import AuditedTable

# Inserts are not audited: Django adds missing rows after every migration, and they give no rights.
NO_INSERTS = ("UPDATE", "DELETE", "TRUNCATE")
TRACED = (
    AuditedTable(table="auth_user", secret=("password",), quiet=("last_login",)),
    AuditedTable(table="auth_group"),
    AuditedTable(table="auth_permission", events=NO_INSERTS),
    AuditedTable(table="auth_user_groups"),
    AuditedTable(table="auth_user_user_permissions"),
    AuditedTable(table="auth_group_permissions"),
    AuditedTable(table="django_content_type", events=NO_INSERTS),
    AuditedTable(table="mailops_cache", key="cache_key", secret=("value",)),
    # A schedule can run any function. The queue itself writes the quiet columns at every run.
    AuditedTable(table="django_q_schedule", quiet=("next_run", "task", "repeats")),
)
