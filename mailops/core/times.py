"""Times in sentences."""

from datetime import datetime

from django.utils import timezone


def moment(at: datetime) -> str:
    """The hour for a time of today, day and hour for others: "14:05", "3 Nov, 14:05"."""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local:%-d %b, %H:%M}"
