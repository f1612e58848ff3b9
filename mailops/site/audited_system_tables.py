"""The tables of Django and of the queue that leave traces: who may sign in and do what, and what runs by itself."""

from mailops.core.sql_triggers import Traced

NO_NEWS = ("UPDATE", "DELETE", "TRUNCATE")  # Django adds what is missing after every migration; it gives nobody a right
TRACED = (
    Traced(table="auth_user", secret=("password",), quiet=("last_login",)),
    Traced(table="auth_group"),
    Traced(table="auth_permission", events=NO_NEWS),
    Traced(table="auth_user_groups"),
    Traced(table="auth_user_user_permissions"),
    Traced(table="auth_group_permissions"),
    Traced(table="django_content_type", events=NO_NEWS),
    # who writes a schedule runs any function; when it runs next is the queue's own business
    Traced(table="django_q_schedule", quiet=("next_run", "task", "repeats")),
)
