"""Other services, through Apprise. Only well-known ones, each at its own fixed https host."""

from __future__ import annotations

import logging
from typing import Any

import apprise
from django.conf import settings
from django.core.exceptions import ValidationError

# Apprise also knows addresses that reach any host, and this machine's desktop, log, files and
# commands. They are not allowed: a person could make MailOps' server call hosts that only the
# server can reach.
# scheme: (name, the native addresses of the same service that people copy from its pages)
KNOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "slack": ("Slack", ("https://hooks.slack.com/services/",)),
    "discord": ("Discord", ("https://discord.com/api/webhooks/",)),
    "gchat": ("Google Chat", ("https://chat.googleapis.com/v1/spaces/",)),
    "tgram": ("Telegram", ()),
    "pover": ("Pushover", ()),
    "pbul": ("Pushbullet", ()),
    "wxteams": ("Webex", ()),
    "pagerduty": ("PagerDuty", ()),
    "opsgenie": ("Opsgenie", ()),
}
CONNECT_SECONDS, READ_SECONDS = 4, 8
log = logging.getLogger("mailops.notices")


class NotTaken(Exception):
    """The service did not take the message. The text never contains the address."""


def services() -> str:
    return ", ".join(name for name, _native in KNOWN.values())


def check(address: str) -> str:
    """The service's name. Raises `ValidationError` if the address is not allowed."""
    _plugin, name = _open(address)
    return name


def send(address: str, *, title: str, body: str) -> None:
    """Raises `NotTaken`."""
    try:
        plugin, name = _open(address)
    except ValidationError as error:
        raise NotTaken("This address is not allowed any more. Enter it again.") from error
    sender = apprise.Apprise(asset=_asset())
    sender.add(plugin)
    try:
        taken = bool(sender.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))
    except Exception as error:
        # only the class: the error's text may contain the address
        log.warning("%s could not be asked: %s", name, type(error).__name__)
        taken = False
    if not taken:
        raise NotTaken(
            f"{name} can't be reached or did not take the message. Check the address and send a"
            " test."
        )


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="MailOps",
        app_desc="MailOps",
        app_url="",
        plugin_paths=[],
        async_mode=False,
        secure_logging=True,
    )


def _open(address: str) -> tuple[Any, str]:
    address = address.strip()
    if not address.isprintable() or " " in address:
        raise ValidationError(
            "This address holds a space or a sign that no address has. Copy it again."
        )
    scheme = _scheme(address)
    if "?" in address or "#" in address:
        # Apprise reads options there: no check of certificates, other time-outs, attached files
        raise ValidationError(
            "Leave out what begins with a question mark or a number sign: only the address itself."
        )
    try:
        plugin = apprise.Apprise.instantiate(address, asset=_asset(), suppress_exceptions=True)
    except Exception:
        plugin = None
    if plugin is None or scheme not in _schemes_of(plugin):
        raise ValidationError(
            "This address is not complete, or not as the service gives it. Copy it again."
        )
    plugin.verify_certificate = True
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
    return plugin, KNOWN[scheme][0] if scheme in KNOWN else scheme


def _scheme(address: str) -> str:
    for known, (_name, native) in KNOWN.items():
        # an empty tuple has no prefix that fits
        if address.startswith(native):
            return known
    scheme = address.partition("://")[0].lower()
    if scheme not in {*KNOWN, *settings.NOTICE_SCHEMES}:
        raise ValidationError(
            f"This is not an address of a service that MailOps may use: {services()}."
        )
    return scheme


def _schemes_of(plugin: Any) -> set[str]:
    found: set[str] = set()
    for names in (plugin.secure_protocol, plugin.protocol):
        found |= {names} if isinstance(names, str) else set(names or ())
    return found
