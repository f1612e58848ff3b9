"""E-mail: plain text, one message a person, the same Message-ID when a message is sent again."""

from __future__ import annotations

import logging
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

log = logging.getLogger("mailops.notices")


class NotMailed(Exception):
    """The mail server did not take a message; `is_down` if it takes no others now either."""

    def __init__(self, words: str, *, is_down: bool) -> None:
        super().__init__(words)
        self.is_down = is_down


def send(to: str, *, subject: str, body: str, key: str) -> None:
    """Raises `NotMailed`. `key` makes the Message-ID: the same key, the same ID."""
    if not settings.MAIL_IS_SET:
        raise NotMailed("No mail server is set for MailOps (EMAIL_URL).", is_down=True)
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "mailops"
    headers = {"Message-ID": f"<{key}@{domain}>", "Auto-Submitted": "auto-generated"}
    try:
        EmailMessage(subject, body, to=[to], headers=headers).send()
    except Exception as error:
        # only the class: servers quote addresses and passwords in their answers
        log.warning("A notice could not be mailed: %s", type(error).__name__)
        raise _words(error) from None


def _words(error: Exception) -> NotMailed:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NotMailed(
            "The mail server does not accept MailOps' name and password.", is_down=True
        )
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return NotMailed("The mail server refuses the address.", is_down=False)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return NotMailed("The mail server refuses MailOps as the sender.", is_down=True)
    is_start = isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError)
    is_answer = isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPNotSupportedError)
    if is_answer and not is_start:
        return NotMailed("The mail server refused the message.", is_down=False)
    # SMTPException is an OSError, so this takes every other error of the protocol too
    if isinstance(error, OSError):
        return NotMailed("The mail server can't be reached or does not answer.", is_down=True)
    return NotMailed("The message can't be sent to this address.", is_down=False)
