"""Django finds this by its name: the pages of users and roles register themselves."""

from mailops.site import users  # noqa: F401
