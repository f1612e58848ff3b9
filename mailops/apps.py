"""The project's two apps: Django's admin with our site in it, and MailOps itself."""

from django.apps import AppConfig
from django.contrib.admin import apps

from mailops.site.audited_system_tables import TRACED


class AdminConfig(apps.AdminConfig):
    """Serves every admin page by MailOpsSite."""

    default_site = "mailops.site.admin_site.MailOpsSite"


class MailOpsConfig(AppConfig):
    """The app of the project itself: checks, users' policies, static files, commands."""

    name = "mailops"
    verbose_name = "MailOps"
    audited_tables = TRACED

    def ready(self) -> None:
        # imported because they register themselves
        from django_q.signals import pre_enqueue, pre_execute

        from mailops import checks  # noqa: F401
        from mailops.core import durability, task_list
        from mailops.site import user_policies  # noqa: F401

        durability.turn_on_for_new_connections()
        pre_enqueue.connect(task_list.replace_others)
        pre_execute.connect(task_list.stop_before_others)
        task_list.read_no_pickles()
