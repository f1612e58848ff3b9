"""Columns by their headings: in any order, under many names, and nothing left out without a word."""

from __future__ import annotations

import pytest

from orders.drafting.intake import Column, Reading, read
from tests.orders.drafting.intake.made import DOMAINS, MAILBOXES
from vendors.apis.values import Product


def taken(text: str, product: Product = DOMAINS) -> Reading:
    reading = read(text, product)
    assert not reading.bad, reading.bad
    return reading


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("DOMAIN", "Domain"), ("Domain name", "Domain"), ("web-site:", "Domain"), ("URL", "Domain"),
        ("E-Mail Address", "Address"), ("e_mail", "Address"), ("User Name", "Address"), ("mailbox", "Address"),
        ("First  Name *", "First name"), ("given name", "First name"), ("Surname", "Last name"), ("last", "Last name"),
        ("Full Name", "Full name"), ("NAME", "Full name"), ("Years", "Years"), ("# of years", "Not known"),
        ("Forward to", "Forwards to"), ("redirect-url", "Forwards to"), ("Photo URL", "Picture"),
        ("profile picture", "Picture"), ("Phone", "Not known"),
    ],
)  # fmt: skip
def test_a_heading_goes_by_many_names(heading: str, meaning: str) -> None:
    column, _ = read(f"{heading}\temail\n", DOMAINS).columns
    assert (column.letter, column.heading, column.meaning) == (
        "A",
        heading.replace("  ", " "),
        meaning,
    )


def test_columns_are_told_as_they_were_read() -> None:
    reading = taken("ID,First name,Domain,E-mail,Last name\n7,Dana,acme.com,dana@acme.com,Reyes")
    assert reading.columns == [
        Column(letter="A", heading="ID", meaning="Not known", used=False),
        Column(letter="B", heading="First name", meaning="First name", used=True),
        Column(letter="C", heading="Domain", meaning="Domain", used=True),
        Column(letter="D", heading="E-mail", meaning="Address", used=True),
        Column(letter="E", heading="Last name", meaning="Last name", used=True),
    ]
    assert reading.notes == ["Column A (“ID”) is not used."]
    assert (reading.headings_found, reading.heading_line) == (True, 1)
    assert reading.rows[0].line() == "acme.com, Dana Reyes, dana"


def test_without_headings_the_place_says_what_a_column_holds() -> None:
    reading = taken("acme.com, Dana Reyes, dana")
    assert [(column.letter, column.meaning) for column in reading.columns] == [
        ("A", "Domain"), ("B", "Full name"), ("C", "Address"),
    ]  # fmt: skip
    assert (reading.headings_found, reading.heading_line, reading.notes) == (False, None, [])


def test_whole_addresses_say_the_domain() -> None:
    (row,) = taken("Email,Name\ndana@Acme.com,Dana Reyes", MAILBOXES).rows
    assert row.line() == "acme.com, Dana Reyes, dana"


def test_an_address_without_a_domain_says_that_it_is_missing() -> None:
    (bad,) = read("Email,Name\ndana,Dana Reyes", MAILBOXES).bad
    assert (bad.message, bad.fix) == (
        "There is no domain.",
        "Fill in the domain, for example: acme-reach.com",
    )


def test_headings_without_any_domain_say_so_once_and_on_each_line() -> None:
    reading = read("first name,last name\nDana,Reyes\nSam,Ito", MAILBOXES)
    assert [(bad.number, bad.message) for bad in reading.bad] == [
        (2, "No column says the domain."), (3, "No column says the domain."),
    ]  # fmt: skip
    assert reading.notes == [
        "No column says the domain. Name one “domain”, or one with whole addresses “email”."
    ]


def test_a_line_with_a_domain_in_it_is_no_heading() -> None:
    reading = read("acme.com, Name, email", DOMAINS)
    assert not reading.headings_found
    assert reading.rows[0].line() == "acme.com, Name, email"


def test_two_columns_that_say_the_same_complete_each_other() -> None:
    reading = taken(
        "domain,website,email,username\nacme.com,https://www.acme.com/,dana@acme.com,Dana\n,b.com,sam@b.com,",
        MAILBOXES,
    )
    assert [row.line() for row in reading.rows] == ["acme.com, , dana", "b.com, , sam"]
    assert (
        "Columns A and B say the same: the domain. Where one is empty, the other counts."
        in reading.notes
    )


def test_two_columns_that_contradict_each_other_make_a_line_bad() -> None:
    (bad,) = read("domain,website,email\nacme.com,b.com,dana", MAILBOXES).bad
    assert bad.message == "Two columns say the domain, and not the same: “acme.com” and “b.com”."
    assert bad.fix == "Write the same in both, or leave one of them empty."


def test_a_column_without_a_place_is_said_once_and_only_filled_cells_are_bad() -> None:
    reading = read("domain,email,years\nacme.com,dana,\nb.com,sam,2", MAILBOXES)
    assert [row.domain for row in reading.rows] == ["acme.com"]
    assert [(bad.number, bad.fix) for bad in reading.bad] == [(3, "Leave that cell empty.")]
    assert reading.notes == [
        "This order has no place for “years”, so column C (“years”) must stay empty."
    ]
    assert not reading.columns[2].used


def test_a_cell_beyond_the_headings_is_bad() -> None:
    (bad,) = read("domain,name,email\nacme.com,Reyes,Dana,dana", MAILBOXES).bad
    assert bad.message == "There are 4 cells in this line, and 3 headings."


def test_columns_of_our_own_file_are_left_out() -> None:
    reading = taken("Line,What to change,domain,address\n1,There is no ending.,acme.com,dana")
    assert [column.is_ours for column in reading.columns] == [True, True, False, False]
    assert reading.notes == [
        "Columns A and B come from our file of lines to change and are left out."
    ]
    assert not taken("Line,domain\n1,acme.com").columns[0].is_ours
