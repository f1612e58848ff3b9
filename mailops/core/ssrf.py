"""Which addresses MailOps may connect to: public ones by https, and its own machine where that is
practice.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

INSIDE = (".localhost", ".local", ".internal")
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Whether this IP address is one of the whole internet: not private, link-local, loopback, or
    made of such.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(
        one.is_global and not one.is_multicast and not one.is_reserved for one in _meant(address)
    )


def is_loopback(text: str) -> bool:
    """Whether this IP address is this very machine."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def why_not_url(url: str, *, loopback: bool = False) -> str:
    """Why MailOps may not call this address, in words; empty where it may. The name is looked up
    only when it is used.

    `loopback`: whether http to this very machine is allowed, as for practice vendors.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "This is no web address."
    if not host or any(sign.isspace() for sign in url):
        return "This is no web address."
    if parts.username is not None or parts.password is not None:
        return "A web address with a name and password in it is not taken."
    if (
        loopback
        and parts.scheme in ("http", "https")
        and (host == "localhost" or is_loopback(host))
    ):
        return ""
    if parts.scheme != "https":
        return "The address must begin with https://."
    looks_like_ip = ":" in host or host.replace(".", "").isdecimal() or host.startswith("0x")
    is_inside = (
        not is_public(host)
        if looks_like_ip
        else "." not in host.strip(".") or host.endswith(INSIDE)
    )
    return "This address is not one of the public internet." if is_inside else ""


def is_same_place(url: str, other: str) -> bool:
    """Whether two web addresses have the same scheme, host and port; what is no web address is no
    place.
    """
    try:
        here, there = _place(url), _place(other)
    except ValueError:
        return False
    return here == there and all(here)


def _place(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


def _meant(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, and the older one that a newer one may carry inside."""
    if isinstance(address, IPv4Address):
        return [address]
    inside: list[IPv4Address | IPv6Address | None] = [address.sixtofour, *(address.teredo or ())]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *(one for one in inside if one is not None)]
