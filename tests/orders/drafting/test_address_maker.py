"""Making addresses: names folded, patterns filled, collisions resolved in sight, nothing made that
can't be read.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from orders.drafting.address_maker import (
    EVERY,
    LINES,
    SPREAD,
    Making,
    TooMany,
    Wish,
    make,
    patterns_from,
)
from orders.drafting.address_patterns import PATTERNS, Person, read_people
from orders.drafting.intake import MOST_LINES, BadCell, Row, read
from vendors.apis import REGISTRY

DOMAINS = REGISTRY["coldmailreseller"].products["domains"]
ADDRESS = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")


def people(text: str) -> tuple[Person, ...]:
    return tuple(read_people(text))


def rows(text: str) -> list[Row]:
    reading = read(text, DOMAINS)
    assert not reading.bad, reading.bad
    return reading.rows


def made(
    names: str, *domains: str, box: str = "", taken: dict[str, str] | None = None, **wish: Any
) -> Making:
    wish["patterns"] = patterns_from(wish.get("patterns", "{first}"))
    wanted = Wish(people=people(names), domains=domains or ("acme.com",), **wish)
    return make(wanted, rows=rows(box), taken=taken)


def addresses(making: Making) -> list[str]:
    return [one.row.address for one in making.made]


def remarks(making: Making) -> list[str]:
    return [one.remark for one in making.made]


# Patterns


@pytest.mark.parametrize(("pattern", "address"), PATTERNS.items())
def test_a_pattern_looks_like_its_example(pattern: str, address: str) -> None:
    assert addresses(made("Dana Reyes", patterns=pattern)) == [f"{address}@acme.com"]


def test_the_chosen_pattern_comes_first_and_the_others_after_it() -> None:
    assert patterns_from("{f}.{last}")[:3] == ("{f}.{last}", "{first}", "{first}.{last}")
    assert set(patterns_from("{f}.{last}")) == set(PATTERNS)


def test_own_patterns_are_tried_in_their_order_and_no_other() -> None:
    found = made("Dana Reyes\nDana Rossi\nDana Ross", patterns="{first}.{l}, {l}{first}")
    assert addresses(found) == ["dana.r@acme.com", "rdana@acme.com", "dana.r2@acme.com"]


def test_a_counting_pattern_counts_up() -> None:
    found = made("Dana Reyes\nDana Rossi", patterns="{first}{n}")
    assert addresses(found) == ["dana1@acme.com", "dana2@acme.com"]
    assert remarks(found) == ["", ""]


# Who gets one where


def test_everybody_on_every_domain() -> None:
    found = made("Dana Reyes\nSam Ito", "a.com", "b.com")
    assert addresses(found) == ["dana@a.com", "sam@a.com", "dana@b.com", "sam@b.com"]


def test_people_are_spread_evenly() -> None:
    found = made("Ann A\nBo B\nCy C\nDi D\nEd E", "a.com", "b.com", mode=SPREAD)
    assert addresses(found) == ["ann@a.com", "bo@b.com", "cy@a.com", "di@b.com", "ed@a.com"]


def test_one_person_gets_several_in_several_forms() -> None:
    found = made("Dana Reyes", "a.com", "b.com", per_domain=3)
    assert addresses(found)[:3] == ["dana@a.com", "dana.reyes@a.com", "d.reyes@a.com"]
    assert remarks(found) == [""] * 6


def test_more_than_there_are_forms_get_a_number() -> None:
    found = made("Dana Reyes", per_domain=9)
    assert addresses(found)[7:] == ["dana2@acme.com", "dana.reyes2@acme.com"]
    assert remarks(found)[7] == "dana is taken on line 1."


def test_spread_over_a_number_each_domain_gets_other_people() -> None:
    found = made("Ann A\nBo B\nCy C", "a.com", "b.com", mode=SPREAD, per_domain=2)
    assert addresses(found) == ["ann@a.com", "bo@a.com", "cy@b.com", "ann@b.com"]


def test_whoever_has_no_place_is_named() -> None:
    found = made("Ann A\nBo B\nCy C", "a.com", mode=SPREAD, per_domain=2)
    assert found.notes == [
        "Cy C has no place: the domains take 2 more mailboxes. Add domains, or raise the number on"
        " each."
    ]


def test_domains_without_a_mailbox_are_counted() -> None:
    assert made("Ann A", "a.com", "b.com", "c.com", mode=SPREAD).notes == [
        "2 of the domains get no mailbox: there are fewer people."
    ]


def test_fewer_mailboxes_than_people_is_said() -> None:
    found = made("Ann A\nBo B\nCy C", "a.com", per_domain=2)
    assert addresses(found) == ["ann@a.com", "bo@a.com"]
    assert "There are 3 people for 2 mailboxes a domain" in found.notes[0]


def test_lines_with_a_name_get_their_address_where_they_stand() -> None:
    box = [
        Row(
            number=1,
            domain="a.com",
            first_name="Dana",
            last_name="Reyes",
            picture="https://x.com/d.png",
        ),
        Row(number=2, domain="b.com", first_name="Sam", last_name="Ito", username="sam"),
        Row(number=3, domain="a.com", first_name="Dana", last_name="Ito"),
        Row(number=4, domain="c.com"),
    ]
    found = make(Wish(mode=LINES, patterns=patterns_from("{first}")), rows=box)
    assert (
        found.text
        == "a.com, Dana Reyes, dana, https://x.com/d.png\nb.com, Sam Ito, sam\na.com, Dana Ito,"
        " dana.ito\nc.com"
    )
    assert remarks(found) == ["", "dana is taken on line 1."]


# What stands there already


def test_lines_with_an_address_stay_and_count() -> None:
    found = made(
        "Dana Reyes\nSam Ito", box="acme.com, Lee Wong, lee\nother.com, Bo Lee, bo", per_domain=2
    )
    assert (
        found.text == "acme.com, Lee Wong, lee\nacme.com, Dana Reyes, dana\nother.com, Bo Lee, bo"
    )


def test_asking_again_makes_nothing_more() -> None:
    for wish in ({}, {"per_domain": 2}, {"mode": SPREAD}, {"mode": SPREAD, "per_domain": 3}):
        first = made("Dana Reyes\nSam Ito", "a.com", "b.com", **wish)
        assert made("Dana Reyes\nSam Ito", "a.com", "b.com", box=first.text, **wish).made == []


def test_a_name_with_another_apostrophe_is_the_same_person() -> None:
    assert made("Pat O’Brien\npat o'brien", box="acme.com, PAT O'Brien, pat").made == []


def test_a_domain_with_more_already_is_named() -> None:
    box = "a.com, Lee Wong, lee\na.com, Bo Lee, bo"
    found = made("Dana Reyes", "a.com", "b.com", box=box, per_domain=1)
    assert addresses(found) == ["dana@b.com"]
    assert found.notes == [
        "More than 1 mailbox stood there already: a.com. Nothing was added there."
    ]


def test_forwarding_years_and_picture_of_the_domain_are_kept() -> None:
    box = "domain, picture, forward to, years\na.com, https://x.com/a.png, home.com, 3"
    found = made("Dana Reyes\nSam Ito", "a.com", box=box)
    assert [(row.forward_to, row.years, row.picture) for row in found.rows] == [
        ("home.com", 3, "https://x.com/a.png")
    ] * 2


def test_a_persons_picture_is_not_given_to_another() -> None:
    box = "a.com, Dana Reyes, dana, https://x.com/dana.png"
    found = made("Dana Reyes\nSam Ito", "a.com", "b.com", box=box)
    assert {one.row.address: one.row.picture for one in found.made} == {
        "sam@a.com": "", "dana@b.com": "https://x.com/dana.png", "sam@b.com": "",
    }  # fmt: skip


def test_a_name_that_gives_way_is_said() -> None:
    box = "a.com, Lee Wong, lee"
    lines = [*rows(box), Row(number=2, domain="b.com", first_name="Bo", last_name="Lee")]
    found = make(Wish(people=people("Dana Reyes"), domains=("b.com",)), rows=lines)
    assert found.notes == [
        "Lines with a name and no address give way to the new ones: b.com Bo Lee."
    ]


# Collisions


def test_an_address_in_the_box_is_not_made_twice() -> None:
    found = made("Dana Reyes", box="acme.com, Dana Lee, dana")
    assert addresses(found) == ["dana.reyes@acme.com"]
    assert remarks(found) == ["dana is taken on line 1."]


def test_the_line_is_counted_below_headings() -> None:
    found = made(
        "Dana Reyes", box="domain, first name, last name, address\nacme.com, Dana Maria, Lee, dana"
    )
    assert found.text.splitlines()[1].startswith("acme.com, Dana Maria, Lee, dana")
    assert remarks(found) == ["dana is taken on line 2."]
    assert found.made[0].row.number == 3


def test_an_address_used_elsewhere_is_not_made_and_the_place_is_said() -> None:
    found = made("Dana Reyes", taken={"dana@acme.com": "on MO-1004"})
    assert addresses(found) == ["dana.reyes@acme.com"]
    assert remarks(found) == ["dana@acme.com is on MO-1004."]


def test_the_same_name_twice_ends_in_a_number() -> None:
    lines = [Row(number=n, domain="a.com", first_name="Dana", last_name="Reyes") for n in (1, 2, 3)]
    found = make(Wish(mode=LINES, patterns=("{first}",)), rows=lines)
    assert addresses(found) == ["dana@a.com", "dana2@a.com", "dana3@a.com"]
    assert all("taken on line 1" in remark for remark in remarks(found)[1:])


def test_a_single_name_takes_a_form_that_it_can() -> None:
    found = made("Madonna\n, Cher", patterns="{first}.{last}")
    assert addresses(found) == ["madonna@acme.com", "cher@acme.com"]
    assert remarks(found) == ["Madonna has no last name.", "Cher has no first name."]


def test_a_long_name_is_shortened_and_said_so() -> None:
    found = made(f"{'a' * 60} {'b' * 60}", patterns="{first}.{last}", per_domain=1)
    assert addresses(found) == [f"{'a' * 60}.bbb@acme.com"]
    assert remarks(found) == ["Shortened to 64 characters."]


def test_numbers_of_long_names_are_never_cut_off() -> None:
    lines = [
        Row(number=n, domain="a.com", first_name="a" * 60, last_name="b" * 60) for n in range(1, 13)
    ]
    for pattern in ("{first}.{last}", "{first}{n}{last}"):
        found = addresses(make(Wish(mode=LINES, patterns=(pattern,)), rows=lines))
        assert len(set(found)) == 12
        assert max(map(len, found)) <= 64 + len("@a.com")


def test_a_name_without_letters_is_left_out_and_said() -> None:
    found = make(Wish(mode=LINES), rows=[Row(number=1, domain="a.com", first_name="…")])
    assert found.made == []
    assert found.notes == ["No address can be made of the name “…”."]


def test_more_lines_than_an_order_takes_are_not_made() -> None:
    everybody = "\n".join(f"Dana{n} Reyes" for n in range(51))
    with pytest.raises(TooMany):
        made(everybody, *(f"a{n}.com" for n in range(MOST_LINES // 50)))


# Whatever is asked for


def allowed(line: str) -> Person | None:
    """The person of a line of names, if it is one."""
    try:
        return next(read_people(line), None)
    except BadCell:
        return None


WORDS = some.text(
    some.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=0, max_size=25
)
COMMON = some.sampled_from(
    ["Dana", "Sam", "Jürgen", "O'Brien", "van der Berg", "王小明", "", "Jean-Luc", "a" * 60]
)
NAMES = (
    some.tuples(COMMON | WORDS, COMMON | WORDS)
    .map(lambda names: allowed(",".join(names)))
    .filter(lambda person: person is not None)
)
HOSTS = some.lists(
    some.sampled_from(["a.com", "b.com", "c.co.uk", "d.io"]), min_size=1, max_size=4, unique=True
)
OWN = some.lists(
    some.sampled_from(["{first}", "{l}{n}", "{f}.{last}", "{n}-{first}"]), min_size=1, unique=True
)
WISHES = some.builds(
    Wish,
    mode=some.sampled_from([EVERY, SPREAD]),
    people=some.lists(NAMES, min_size=1, max_size=8, unique_by=lambda person: person.key).map(
        tuple
    ),
    domains=HOSTS.map(tuple),
    patterns=some.sampled_from([*PATTERNS]).map(patterns_from) | OWN.map(tuple),
    per_domain=some.none() | some.integers(1, 6),
    umlauts=some.booleans(),
)
BOX = some.lists(
    some.sampled_from(
        ["a.com, Dana Lee, dana", "b.com, Sam Ito, s.ito", "c.co.uk", "e.com", "b.com, Bo, bo"]
    ),
    unique=True,
)


@settings(max_examples=150)
@given(
    wish=WISHES,
    box=BOX,
    elsewhere=some.sets(some.sampled_from(["dana@a.com", "sam@b.com", "d.reyes@c.co.uk"])),
)
def test_what_is_made_is_read_again_collides_with_nothing_and_is_counted(
    wish: Wish, box: list[str], elsewhere: set[str]
) -> None:
    typed = rows("\n".join(box))
    taken = dict.fromkeys(elsewhere, "on MO-1004")
    found = make(wish, rows=typed, taken=taken)
    assert found == make(wish, rows=typed, taken=taken)

    for one in found.made:
        assert ADDRESS.fullmatch(one.row.username), one
        assert ".." not in one.row.username
        assert one.row.address not in taken
    everything = [row.address for row in found.rows if row.username]
    assert len(set(everything)) == len(everything)
    assert {row.address for row in typed if row.username} <= set(everything)

    again = read(found.text, DOMAINS)
    assert not again.bad, (found.text, again.bad)
    assert [row.address for row in again.rows] == [row.address for row in found.rows]
    assert {row.domain for row in typed} <= {row.domain for row in again.rows}
    numbers = {row.address: row.number for row in again.rows}
    assert all(numbers[one.row.address] == one.row.number for one in found.made)

    if wish.per_domain:
        before = Counter(row.domain for row in typed if row.username)
        after = Counter(row.domain for row in found.rows if row.username)
        for domain in wish.domains:
            assert after[domain] == max(wish.per_domain, before[domain])
        assert any("More than" in note for note in found.notes) == any(
            before[domain] > wish.per_domain for domain in wish.domains
        )
