"""Names folded to what stands before the @, and the patterns that are typed for them."""

from __future__ import annotations

import pytest

from orders.drafting.address_patterns import Person, fold, read_patterns, read_people
from orders.drafting.intake import BadCell


@pytest.mark.parametrize(
    ("name", "plain", "german"),
    [
        ("Müller", "muller", "mueller"),
        ("Mu\u0308ller", "muller", "mueller"),
        ("ÖZGÜR", "ozgur", "oezguer"),
        ("Groß", "gross", "gross"),
        ("René", "rene", "rene"),
        ("Zoë", "zoe", "zoe"),
        ("Łukasz", "lukasz", "lukasz"),
        ("Søren", "soren", "soren"),
        ("Nguyễn", "nguyen", "nguyen"),
        ("O'Brien", "obrien", "obrien"),
        ("O’Brien", "obrien", "obrien"),
        ("Jean-Luc", "jean-luc", "jean-luc"),
        ("Jean–Luc", "jean-luc", "jean-luc"),
        ("van der Berg", "vanderberg", "vanderberg"),
        ("J. R.", "jr", "jr"),
        ("Дмитрий", "dmitriy", "dmitriy"),
        ("王小明", "wangxiaoming", "wangxiaoming"),
        ("-ann-", "ann", "ann"),
        ("…", "", ""),
    ],
)
def test_a_name_in_plain_letters(name: str, plain: str, german: str) -> None:
    assert fold(name) == plain
    assert fold(name, umlauts=True) == german


@pytest.mark.parametrize(
    ("line", "first", "last"),
    [
        ("Dana Reyes", "Dana", "Reyes"),
        ("  Dana \u00a0 Reyes ", "Dana", "Reyes"),
        ("Ludwig van der Berg", "Ludwig", "van der Berg"),
        ("Anna Maria, Lee", "Anna Maria", "Lee"),
        ("Anna Maria\tLee", "Anna Maria", "Lee"),
        ("Anna Maria; Lee", "Anna Maria", "Lee"),
        ("Madonna", "Madonna", ""),
        (", Reyes", "", "Reyes"),
    ],
)
def test_a_line_is_a_first_and_a_last_name(line: str, first: str, last: str) -> None:
    assert tuple(read_people(f"\n{line}\n")) == (Person(first=first, last=last),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("dana@acme.com", "is an address"),
        ("a, b, c", "more than two cells"),
        ("=cmd", "is no name"),
        ("William “Bill” Gates", "has a quotation mark"),
        ("Dana -Reyes", "is no name"),
        ("Da\x07na Reyes", "is no name"),
        ("…", "no address can be made"),
        ("x" * 61, "is too long"),
    ],
)
def test_what_is_no_name_is_said_with_its_line(line: str, said: str) -> None:
    with pytest.raises(BadCell, match=f"Line 2.*{said}"):
        tuple(read_people(f"Dana Reyes\n{line}"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("{name}", "“{name}” is not known. Use {first}, {last}, {f}, {l} and {n}."),
        ("{first", "A bracket in “{first” is not closed."),
        ("first}.{last}", "A bracket in"),
        ("first.last", "Did you mean {first}.{last}?"),
        ("{n}", "has no part of a name in it"),
        ("{first}@{last}", "“@” can't stand before the @"),
        ("{first}ü", "“ü” can't stand"),
        (".{first}", "no mail system takes"),
        ("{first}..{last}", "no mail system takes"),
        ("{first}-", "no mail system takes"),
        ("{f}" + "x" * 40, "is too long"),
        (" ".join(f"{{f}}{n}" for n in range(11)), "at most 10"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_said_with_what_to_write(typed: str, said: str) -> None:
    with pytest.raises(BadCell) as raised:
        read_patterns(typed)
    assert said in f"{raised.value.message} {raised.value.fix}"
