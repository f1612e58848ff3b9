"""Template filters of the frame."""

from django import template
from django.forms import Media
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def without(media: Media, words: str) -> SafeString:
    """The tags of a form's media, less the scripts whose name has one of the words: 200 KB that no page uses."""
    scripts = [tag for tag in media.render_js() if not any(word in tag for word in words.split())]
    return mark_safe("\n".join([*media.render_css(), *scripts]))  # noqa: S308 - Django built and escaped these tags
