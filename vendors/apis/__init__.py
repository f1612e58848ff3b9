"""The registered vendor APIs. Adding a vendor adds a line here."""

from __future__ import annotations

from vendors.apis.base import Api
from vendors.apis.coldmailreseller import ColdMailReseller
from vendors.apis.scaledmail import ScaledMail
from vendors.apis.smartsenders import SmartSenders
from vendors.apis.woodpecker import Woodpecker

REGISTRY: dict[str, Api] = {
    api.name: api for api in (ColdMailReseller(), ScaledMail(), Woodpecker(), SmartSenders())
}
