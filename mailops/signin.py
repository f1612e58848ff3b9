"""The backend under the name that sessions hold; its code is in `mailops.auth.backends`."""

from mailops.auth.backends import Backend

__all__ = ["Backend"]
