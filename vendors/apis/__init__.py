"""One adapter a vendor: its request, its answers, evidence and lists."""

from __future__ import annotations

from vendors.apis.base import Api
from vendors.apis.coldmailreseller import ColdMailReseller
from vendors.apis.scaledmail import ScaledMail
from vendors.apis.smartsenders import SmartSenders
from vendors.apis.woodpecker import Woodpecker

REGISTRY: dict[str, Api] = {
    api.name: api for api in (ColdMailReseller(), ScaledMail(), Woodpecker(), SmartSenders())
}
