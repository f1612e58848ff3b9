"""Domain names beyond a to z: their two forms, and letters of scripts that look alike."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import idna

# Letters of other scripts that look the same as a letter of a to z.
TWINS = dict(zip("асԁеһіјӏкоԛрѕтуѵԝхмнгαεικνορτυχ", "acdehijlkoqpstyvwxmhraeiknoptux", strict=True))


def to_ascii(name: str) -> str:
    """The form of registries: "xn--caf-dma.com" of "café.com". Raises `UnicodeError`."""
    return idna.encode(name, uts46=True).decode().lower()


@lru_cache(maxsize=4096)
def to_unicode(name: str) -> str:
    """The form that people read. Raises `UnicodeError` for an xn-- that stands for nothing."""
    return idna.decode(name) if "xn--" in name else name


def both_forms(name: str) -> str:
    """The name for a page: "café.com (xn--caf-dma.com)"; a plain name as it is."""
    try:
        shown = to_unicode(name)
    except UnicodeError:
        return name
    return name if shown == name else f"{shown} ({name})"


def weigh_letters(name: str) -> tuple[str, str] | None:
    """A doubt and its fix, if scripts are mixed or other letters pose as a to z."""
    if "xn--" not in name:
        return None
    shown = to_unicode(name)
    for label in shown.split("."):
        scripts = {_script(letter) for letter in label if letter.isalpha()} - {""}
        plain = "".join(TWINS.get(letter, letter) for letter in label)
        poses = plain.isascii() and not label.isascii()
        # A mix without Latin is ordinary: Japanese has four scripts.
        if not poses and not (len(scripts) > 1 and "Latin" in scripts):
            continue
        plain = "".join(TWINS.get(letter, letter) for letter in shown)
        fix = (
            f"Did you mean {plain}?"
            if plain.isascii()
            else "Type the name again with one keyboard."
        )
        what = " and ".join(sorted(scripts))
        return f"“{shown}” is written with {what} letters that look like others.", fix
    return None


def _script(letter: str) -> str:
    # The first word of a letter's Unicode name is its script. Chinese, Japanese and Korean names
    # mix several, so these count as none.
    script = unicodedata.name(letter, "").partition(" ")[0].capitalize()
    return (
        ""
        if script in ("Cjk", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Fullwidth")
        else script
    )
