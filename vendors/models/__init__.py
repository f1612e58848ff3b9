"""Vendor accounts, their prices, the sending switch, and registrant contacts."""

from vendors.models.contact import Contact
from vendors.models.price import Price
from vendors.models.rate import Rate
from vendors.models.switch import SendingSwitch
from vendors.models.vendor import CURRENCY, LIVE, PRACTICE, Vendor, VendorQuerySet, account_settings
from vendors.models.version import PriceVersion

__all__ = [
    "CURRENCY",
    "LIVE",
    "PRACTICE",
    "Contact",
    "Price",
    "PriceVersion",
    "Rate",
    "SendingSwitch",
    "Vendor",
    "VendorQuerySet",
    "account_settings",
]
