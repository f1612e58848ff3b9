"""Accounts, contacts, prices, exchange rates, limits, the sending switch."""

from vendors.models.contact import Contact
from vendors.models.exchange_rate import Rate
from vendors.models.price import Price
from vendors.models.price_version import PriceVersion
from vendors.models.sending_switch import SendingSwitch
from vendors.models.vendor import CURRENCY, LIVE, PRACTICE, Vendor, VendorQuerySet, account_settings

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
