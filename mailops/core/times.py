"""Times in sentences."""

from datetime import datetime

from django.utils import timezone


def moment(at: datetime) -> str:
    """A time for a sentence: the hour alone today, with its day otherwise."""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local:%-d %b, %H:%M}"
