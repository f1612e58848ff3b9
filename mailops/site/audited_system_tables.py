"""The tables of Django and of the queue that leave traces: who may sign in and do what, and what
runs by itself.
"""

from mailops.core.sql_triggers import AuditedTable

NO_NEWS = (
    "UPDATE",
    "DELETE",
    "TRUNCATE",
)  # Django adds what is missing after every migration; it gives nobody a right
TRACED = (
    AuditedTable(table="auth_user", secret=("password",), quiet=("last_login",)),
    AuditedTable(table="auth_group"),
    AuditedTable(table="auth_permission", events=NO_NEWS),
    AuditedTable(table="auth_user_groups"),
    AuditedTable(table="auth_user_user_permissions"),
    AuditedTable(table="auth_group_permissions"),
    AuditedTable(table="django_content_type", events=NO_NEWS),
    # who writes a schedule runs any function; when it runs next is the queue's own business
    AuditedTable(table="django_q_schedule", quiet=("next_run", "task", "repeats")),
)
