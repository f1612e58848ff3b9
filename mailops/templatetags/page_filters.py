"""Template filters of the frame."""

from datetime import datetime

from django import template
from django.forms import Media
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince, timeuntil

register = template.Library()


@register.filter
def without(media: Media, words: str) -> SafeString:
    """The tags of a form's media, less the scripts whose name has one of the words: 200 KB that no
    page uses.
    """
    scripts = [tag for tag in media.render_js() if not any(word in tag for word in words.split())]
    return mark_safe("\n".join([*media.render_css(), *scripts]))  # noqa: S308


@register.filter
def thousands(count: int) -> str:
    """A number that people can read at a glance: 5,000."""
    return f"{count:,}"


@register.filter
def age(at: datetime) -> str:
    """How far away a time is, in its largest unit: "18 minutes ago", "in 3 days"."""
    now = timezone.now()
    if at > now:
        return f"in {timeuntil(at, now, depth=1)}"
    return f"{timesince(at, now, depth=1)} ago" if (now - at).total_seconds() >= 60 else "just now"


@register.simple_tag
def when(at: datetime | None) -> str:
    """A time as its age, with the time itself on hover; nothing around it, so that a full stop can
    follow.
    """
    return _time(at, age(at)) if at else ""


@register.simple_tag
def lasting(since: datetime | None) -> str:
    """How long something is so already: "waiting for 40 minutes"."""
    if since is None:
        return ""
    now = timezone.now()
    return _time(
        since,
        timesince(since, now, depth=1)
        if (now - since).total_seconds() >= 60
        else "less than a minute",
    )


def _time(at: datetime, words: str) -> str:
    local = timezone.localtime(at)
    exact = date_format(local, "j F Y, H:i:s T")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        exact,
        words,
    )
