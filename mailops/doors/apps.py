"""The app of the doors."""

from django.apps import AppConfig


class DoorsConfig(AppConfig):
    """Sign-in, second factors, sessions."""

    name = "mailops.doors"
    label = "doors"
    verbose_name = "Doors"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from mailops.doors import checks, sessions  # noqa: F401 (checks registers itself)

        user_logged_in.connect(sessions.begin, dispatch_uid="mailops.doors")
