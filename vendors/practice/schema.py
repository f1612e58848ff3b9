"""Strict checks of a request body: types, required and unknown fields, syntax, duplicates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})", re.IGNORECASE)
WEB_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
# Addresses with a quoted local part are valid in mail, and refused here.
LOCAL_PART = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE
)


@dataclass(frozen=True)
class Flaw:
    """An error in one field. `issue` continues a sentence that begins with the field's path."""

    field: str
    issue: str
    value: Any = None


Check = Callable[[Any, str], Iterator[Flaw]]


def any_text(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield Flaw(path, "must be a string", value)


def text(value: Any, path: str) -> Iterator[Flaw]:
    yield from any_text(value, path)
    if isinstance(value, str) and not value.strip():
        yield Flaw(path, "is not allowed to be empty", value)


def web_address(value: Any, path: str) -> Iterator[Flaw]:
    yield from any_text(value, path)
    if isinstance(value, str) and not WEB_ADDRESS.fullmatch(value):
        yield Flaw(path, "must be a valid uri", value)


def yes_no(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, bool):
        yield Flaw(path, "must be a boolean", value)


def count(value: Any, path: str) -> Iterator[Flaw]:
    # In Python, True is an integer too.
    if isinstance(value, bool) or not isinstance(value, int):
        yield Flaw(path, "must be an integer", value)
    elif value < 1:
        yield Flaw(path, "must be greater than or equal to 1", value)


def domain_name(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield Flaw(path, "must be a string", value)
    elif len(value) > 253 or not DOMAIN.fullmatch(value):
        yield Flaw(path, "must contain a valid domain name", value)


def local_part(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield Flaw(path, "must be a string", value)
    elif len(value) > 64 or not LOCAL_PART.fullmatch(value):
        yield Flaw(path, "must be the part of an address before the @", value)


def address(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield Flaw(path, "must be a string", value)
        return
    local, _, domain = value.rpartition("@")
    if any(local_part(local, path)) or any(domain_name(domain, path)):
        yield Flaw(path, "must be a valid email", value)


def one_of(*allowed: str | int) -> Check:
    def check(value: Any, path: str) -> Iterator[Flaw]:
        if isinstance(value, bool) or value not in allowed:
            yield Flaw(path, f"must be one of [{', '.join(str(item) for item in allowed)}]", value)

    return check


def array(of: Check, *, unique: Callable[[Any], str] | None = None, minimum: int = 1) -> Check:
    """A list of `of`. With `unique`, no two items may have the same key, whatever their case."""

    def check(value: Any, path: str) -> Iterator[Flaw]:
        if not isinstance(value, list):
            yield Flaw(path, "must be an array", value)
            return
        if len(value) < minimum:
            yield Flaw(path, f"must contain at least {minimum} items")
        flaws = [flaw for index, item in enumerate(value) for flaw in of(item, f"{path}[{index}]")]
        yield from flaws
        # A flawed item may have no key at all.
        if unique and not flaws:
            keys = [unique(item).lower() for item in value]
            times = Counter(keys)
            for index, key in enumerate(keys):
                if times[key] > 1 and key in keys[:index]:
                    yield Flaw(f"{path}[{index}]", f"contains a duplicate value: {key}", key)

    return check


def mapping(key: Check, of: Check) -> Check:
    """An object whose keys satisfy `key` and differ in more than case, with values of `of`."""

    def check(value: Any, path: str) -> Iterator[Flaw]:
        if not isinstance(value, dict):
            yield Flaw(path, "must be an object", value)
            return
        times = Counter(name.lower() for name in value)
        for name, item in value.items():
            yield from key(name, f"{path}.{name}")
            yield from of(item, f"{path}.{name}")
            if times[name.lower()] > 1:
                yield Flaw(f"{path}.{name}", f"contains a duplicate value: {name}", name)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with the required fields, and of others only the optional ones."""
    checks = {**required, **(optional or {})}

    def check(value: Any, path: str) -> Iterator[Flaw]:
        if not isinstance(value, dict):
            yield Flaw(path, "must be an object", value)
            return
        start = f"{path}." if path else ""
        for name in required:
            if name not in value:
                yield Flaw(start + name, "is required")
        for name, item in value.items():
            if name in checks:
                yield from checks[name](item, start + name)
            else:
                yield Flaw(start + name, "is not allowed")

    return check


def also(first: Check, *rules: Check) -> Check:
    """Rules about a whole value. They run only where `first` finds its parts valid."""

    def check(value: Any, path: str) -> Iterator[Flaw]:
        flaws = list(first(value, path))
        yield from flaws
        if not flaws:
            for rule in rules:
                yield from rule(value, path)

    return check
