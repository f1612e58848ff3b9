"""SSRF guard: MailOps may connect to public addresses by https, and to practice vendors here."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

INSIDE = (".localhost", ".local", ".internal")
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """The IP address is public, and so is an IPv4 address that it contains."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    # A gateway would carry a packet on to the IPv4 address inside an IPv6 one.
    return all(
        one.is_global and not one.is_multicast and not one.is_reserved
        for one in _with_inner_addresses(address)
    )


def is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def why_not_url(url: str, *, loopback: bool = False) -> str:
    """The reason, a sentence, why MailOps may not call this URL. Empty where it may.

    `loopback` allows http to this machine, for practice vendors.
    """
    # The name is not looked up here: it may lead elsewhere by the time of the call.
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
    # "0x7f000001" and "127.1" are addresses for some resolvers: all digits count as an address.
    looks_like_ip = ":" in host or host.replace(".", "").isdecimal() or host.startswith("0x")
    is_inside = (
        not is_public(host)
        if looks_like_ip
        else "." not in host.strip(".") or host.endswith(INSIDE)
    )
    return "This address is not one of the public internet." if is_inside else ""


def is_same_place(url: str, other: str) -> bool:
    """Both URLs have the same scheme, host and port. False where one is not a URL."""
    try:
        here, there = _place(url), _place(other)
    except ValueError:
        return False
    return here == there and all(here)


def _place(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


def _with_inner_addresses(
    address: IPv4Address | IPv6Address,
) -> list[IPv4Address | IPv6Address]:
    if isinstance(address, IPv4Address):
        return [address]
    inside: list[IPv4Address | IPv6Address | None] = [address.sixtofour, *(address.teredo or ())]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *(one for one in inside if one is not None)]
