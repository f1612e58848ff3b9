"""Pasted lines: every line becomes a row or says what to change, and what is taken is written back
unchanged.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.drafting.intake import MOST_LINES, Row, read, written
from vendors.apis import REGISTRY
from vendors.apis.values import Product

MAILBOXES = REGISTRY["woodpecker"].products["mailboxes"]
DOMAINS = REGISTRY["coldmailreseller"].products["domains"]
PACKAGE = REGISTRY["scaledmail"].products["package"]
PRODUCTS = [product for api in REGISTRY.values() for product in api.products.values()]

LONG = "x" * 61
BAD = [
    ("dana@acme.com", "is an address, not a domain", "Write only acme.com."),
    ("acme, Dana Reyes, dana", "“acme” has no ending", "Did you mean acme.com?"),
    (", Dana Reyes, dana", "There is no domain", "Begin the line with the domain"),
    ("https://, Dana Reyes, dana", "There is no domain", "Begin the line with the domain"),
    ("ca❤fé.com, Dana Reyes, dana", "“ca❤fé.com” can't be a domain", "Use letters, digits and hyphens."),
    ("xn--a.com, Dana Reyes, dana", "“xn--a.com” can't be a domain", "Use letters, digits and hyphens."),
    ("acme mail.com, Dana Reyes, dana", "“acme mail.com” can't be a domain", "Did you mean acme-mail.com?"),
    ("-acme.com, Dana Reyes, dana", "“-acme.com” can't be a domain", "Did you mean acme.com?"),
    ("acme..com, Dana Reyes, dana", "“acme..com” can't be a domain", "Use letters, digits and hyphens."),
    ("acme.123, Dana Reyes, dana", "“acme.123” can't be a domain", "Use letters, digits and hyphens."),
    (f"{'a' * 64}.com, Dana Reyes, dana", "can't be a domain", "Use letters, digits and hyphens."),
    ("acme.com, Dana Reyes, dana@other.com", "is at other.com, the line at acme.com", "Write dana@acme.com?"),
    ("acme.com, Dana Reyes, dana@", "is at no domain, the line at acme.com", "Write dana@acme.com?"),
    ("acme.com, Dana Reyes, @acme.com", "There is nothing before the @", "Write for example dana@acme.com."),
    ("acme.com, Dana Reyes, dana reyes", "A space is not allowed before the @", "Use dana.reyes?"),
    ("acme.com, Dana Reyes, dana..reyes", "This is not allowed before the @", "Use dana.reyes?"),
    ("acme.com, Dana Reyes, .dana", "This is not allowed before the @", "Use dana?"),
    ("acme.com, Dana Reyes, +++", "This is not allowed before the @", "Use plain letters."),
    (f"acme.com, Dana Reyes, {'d' * 65}", "This is not allowed before the @", f"Use {'d' * 64}?"),
    ("acme.com, Dana Reyes, dána", "letters that go beyond a to z", "Write it with plain letters."),
    (f"acme.com, {LONG} Reyes, dana", "is too long for a name", "Use at most 60 letters."),
    (f"acme.com, Dana {LONG}, dana", "is too long for a name", "Use at most 60 letters."),
    ("acme.com, Dana Reyes", "There is a name but no address", "for example: acme.com, Dana Reyes, dana"),
    ("acme.com, Dana Reyes, dana, portrait.png", "The picture is no web address", "beginning with https://"),
    ("acme.com, Dana Reyes, dana, , nowhere", "“nowhere” has no ending", "Did you mean nowhere.com?"),
    ("acme.com, Dana Reyes, dana, , , 11", "“11” is no number of years", "from 1 to 10"),
    ("acme.com, Dana Reyes, dana, , , 0", "“0” is no number of years", "from 1 to 10"),
    ("acme.com, Dana Reyes, dana, , , ²", "“²” is no number of years", "from 1 to 10"),
    (f"acme.com, Dana Reyes, dana, , , {'1' * 5000}", "is no number of years", "from 1 to 10"),
    ("acme.com, Dana Reyes, dana, , , 1, more", "There are 7 cells", "Write it as: domain, name, address."),
]  # fmt: skip


def rows(text: str, product: Product = MAILBOXES) -> list[Row]:
    reading = read(text, product)
    assert not reading.bad, reading.bad
    return reading.rows


@pytest.mark.parametrize(("line", "message", "fix"), BAD)
def test_a_bad_line_says_where_what_and_how_to_mend_it(line: str, message: str, fix: str) -> None:
    reading = read(f"fine.com, Ann Lee, ann\n\n{line}", DOMAINS)
    (bad,) = reading.bad
    assert bad.number == 3
    assert message in bad.message
    assert fix in bad.fix
    assert bad.text == line.strip()
    assert [row.number for row in reading.rows] == [1]


def test_a_mailbox_order_wants_an_address_in_every_line() -> None:
    (bad,) = read("acme.com, Dana Reyes", MAILBOXES).bad
    assert (bad.message, bad.fix) == (
        "There is no address.",
        "Add one, for example: acme.com, Dana Reyes, dana.reyes",
    )


def test_a_name_alone_is_enough_where_the_vendor_makes_the_addresses() -> None:
    (row,) = rows("acme.com, Dana Reyes", PACKAGE)
    assert (row.first_name, row.last_name, row.username) == ("Dana", "Reyes", "")


@pytest.mark.parametrize(
    ("product", "line", "cell"),
    [
        (MAILBOXES, "acme.com, Dana Reyes, dana, https://example.com/dana.png", "picture"),
        (MAILBOXES, "acme.com, Dana Reyes, dana, , other.com", "forward to"),
        (PACKAGE, "acme.com, Dana Reyes, dana, , , 2", "years"),
    ],
)
def test_what_the_vendor_has_no_place_for_is_said_and_not_left_out(
    product: Product, line: str, cell: str
) -> None:
    (bad,) = read(line, product).bad
    assert f"no place for “{cell}”" in bad.message
    assert bad.fix == "Leave that cell empty."


# How lines may look


@pytest.mark.parametrize(
    "text",
    [
        "acme.com, Dana Reyes, dana",
        "acme.com,Dana Reyes,dana",
        "acme.com;Dana Reyes;dana",
        "acme.com\tDana Reyes\tdana",
        "\ufeffacme.com, Dana Reyes, dana",
        "\u00a0acme.com\u00a0,\u00a0Dana\u00a0Reyes\u00a0,\u00a0dana\u00a0",
        "  ACME.COM ,  Dana   Reyes , Dana ",
        "http://acme.com, Dana Reyes, dana",
        "HTTPS://Acme.com/landing/page, Dana Reyes, dana",
        "acme.com., Dana Reyes, dana@acme.com.",
        '"acme.com","Dana Reyes","dana"',
        'acme.com, "Dana\tReyes", dana',
        "\tacme.com, Dana Reyes, dana",
        "acme.com, Dana Reyes, dana, , , ,",
        "Domain, Name, Address\nacme.com, Dana Reyes, dana",
        "Address;Domain;Name\ndana@acme.com;acme.com;Dana Reyes",
        "E-mail\tFirst name\tLast name\tDomain name\ndana@acme.com\tDana\tReyes\tacme.com",
        "\ufeffdomain,first,last,username\nacme.com,Dana,Reyes,dana",
        "domain, notes, name, address\nacme.com, call him first, Dana Reyes, dana",
    ],
)
def test_the_same_row_however_it_is_pasted(text: str) -> None:
    (row,) = rows(text)
    assert (row.domain, row.first_name, row.last_name, row.username, row.address) == (
        "acme.com", "Dana", "Reyes", "dana", "dana@acme.com",
    )  # fmt: skip


def test_a_comma_in_quotes_stays_in_its_cell() -> None:
    (row,) = rows('acme.com, "Reyes, Dana", dana')
    assert f"{row.first_name} {row.last_name}" == "Reyes, Dana"


def test_a_semicolon_in_a_comma_line_does_not_part_it() -> None:
    (row,) = rows("acme.com, Dana Reyes, dana, https://example.com/a;b", DOMAINS)
    assert row.picture == "https://example.com/a;b"


def test_a_semicolon_table_may_hold_commas() -> None:
    (row,) = rows("Name;Domain;Address\nReyes, Dana;acme.com;dana")
    assert (row.first_name, row.last_name, row.domain) == ("Reyes,", "Dana", "acme.com")


def test_an_empty_first_cell_does_not_shift_the_others() -> None:
    (row,) = rows("name\tdomain\taddress\n\tacme.com\tdana")
    assert (row.first_name, row.domain, row.username) == ("", "acme.com", "dana")


def test_all_columns_are_read() -> None:
    (row,) = rows(
        "acme.com, Dana Reyes, dana, https://example.com/d.png, https://Other.com/, 03", DOMAINS
    )
    assert (row.picture, row.forward_to, row.years) == (
        "https://example.com/d.png",
        "https://other.com/",
        3,
    )


def test_lines_are_numbered_as_in_the_paste_box() -> None:
    reading = read("\n\nDomain, Name, Address\n\na.com, A B, a\nwrong\nc.com, C D, c", MAILBOXES)
    assert [row.number for row in reading.rows] == [5, 7]
    assert [bad.number for bad in reading.bad] == [6]
    assert [(result.number, result.row is None, result.bad is None) for result in reading.results] == [
        (5, False, True), (6, True, False), (7, False, True),
    ]  # fmt: skip


# Many lines together


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acme.com, A B, dana\nacme.com, C D, DANA", "dana@acme.com is on line 1 already."),
        ("acme.com\nACME.com.", "acme.com is on line 1 already."),
        ("acme.com\nacme.com, Dana Reyes, dana", "acme.com is on line 1 already."),
        ("acme.com, Dana Reyes, dana\nacme.com", "acme.com is on line 1 already."),
        (
            "acme.com, A B, a, , , 2\nacme.com, C D, c, , , 3",
            "something else about the years of acme.com",
        ),
        ("acme.com, A B, a\nacme.com, C D, c, , , 3", "something else about the years of acme.com"),
        (
            "acme.com, A B, a, , x.com\nacme.com, C D, c, , y.com",
            "something else about the forwarding of acme.com",
        ),
    ],
)
def test_a_line_that_contradicts_an_earlier_one_is_bad(text: str, message: str) -> None:
    reading = read(text, DOMAINS)
    assert [row.number for row in reading.rows] == [1]
    assert [bad.number for bad in reading.bad] == [2]
    assert message in reading.bad[0].message
    assert reading.bad[0].fix


def test_later_lines_may_leave_to_the_first_what_is_said_of_a_domain() -> None:
    assert len(rows("acme.com, A B, a, , x.com, 2\nacme.com, C D, c", DOMAINS)) == 2


def test_too_many_lines_are_said_at_the_first_that_is_too_much() -> None:
    text = "\n".join(f"a{n}.com, A B, a" for n in range(MOST_LINES + 3))
    reading = read(text, MAILBOXES)
    assert len(reading.rows) == MOST_LINES
    (bad,) = reading.bad
    assert bad.number == MOST_LINES + 1
    assert "another order" in bad.fix
    assert reading.results[-1].bad == bad  # shown below the others


def test_just_enough_lines_are_taken() -> None:
    assert len(rows("\n".join(f"a{n}.com, A B, a" for n in range(MOST_LINES)))) == MOST_LINES


# Whatever is pasted

CELLS = st.one_of(
    st.sampled_from(
        ["acme.com", "B.com.", "http://c.net/x", "dana@acme.com", "dana", "Dana Reyes", "", '"', '""', "'", "x;y", "2",
         '"Reyes, Dana"', '"say ""hi"" now"', "https://example.com/p.png?a=1;b", 'https://example.com/"', "\u00a0",
         "10", "²", "1" * 5000, "domain", "name", "address", "first", "last", "years", "picture", "forward to"]
    ),
    st.text(max_size=12),
)  # fmt: skip
LINES = st.builds(
    lambda cells, mark: mark.join(cells), st.lists(CELLS, max_size=7), st.sampled_from("\t;,")
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.builds(
        lambda lines, end: end.join(lines),
        st.lists(LINES, max_size=6),
        st.sampled_from(["\n", "\r\n"]),
    ),
)


def is_seen(line: str) -> bool:
    """The line holds more than spaces and characters without width."""
    return any(unicodedata.category(c) not in ("Cc", "Cf", "Cs") and not c.isspace() for c in line)


@settings(max_examples=400)
@given(text=TEXTS, product=st.sampled_from(PRODUCTS))
def test_no_line_is_dropped_and_nothing_raises(text: str, product: Product) -> None:
    reading = read(text, product)
    wanted = [n for n, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if is_seen(line)]
    told = [
        n
        for result in reading.results
        for n in range(result.number, result.number + result.text.count("\n") + 1)
    ]
    if reading.heading_line:
        wanted = [n for n in wanted if n >= (told[0] if told else wanted[-1] + 1)]
    assert [n for n in told if n in wanted] == wanted
    assert all((result.row is None) != (result.bad is None) for result in reading.results)
    assert list(reading.lines) == [result.number for result in reading.results]
    assert all(bad.message and bad.fix for bad in reading.bad)


GOOD_CELLS = {
    "domain": st.sampled_from(["acme.com", "b.net", "xn--caf-dma.com"]),
    "first": st.text(max_size=8),
    "last": st.text(max_size=8),
    "address": st.sampled_from(["", "dana", "d.r", "sam_1", "x"]),
    "picture": st.sampled_from(["", "https://example.com/a,b;c", 'http://example.com/"q"']),
    "forward to": st.sampled_from(["", "x.com"]),
    "years": st.sampled_from(["", "1", "2"]),
}


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table with headings whose cells mostly fit, in quotes as spreadsheets write them."""
    columns = ["domain", *draw(st.permutations(list(GOOD_CELLS)[1:]))]
    lines = [",".join(columns)]
    for _ in range(draw(st.integers(1, 4))):
        cells = [draw(GOOD_CELLS[column]).replace('"', '""') for column in columns]
        lines.append(",".join(f'"{cell}"' for cell in cells))
    return "\n".join(lines)


@settings(max_examples=400)
@given(text=st.one_of(tables(), TEXTS), product=st.sampled_from(PRODUCTS))
def test_what_is_taken_is_written_back_and_read_as_the_same(text: str, product: Product) -> None:
    taken = read(text, product).rows
    again = read(written(taken), product)
    assert not again.bad
    assert [replace(row, number=0) for row in again.rows] == [
        replace(row, number=0) for row in taken
    ]


def test_a_first_name_of_two_words_survives_another_round() -> None:
    taken = rows(
        "domain,first name,last name,address\nacme.com,Anna"
        " Maria,Lee,anna\nacme.com,Dana,Reyes,dana"
    )
    assert (
        written(taken).splitlines()[0]
        == "domain, first name, last name, address, picture, forward to, years"
    )
    assert [(row.first_name, row.last_name) for row in rows(written(taken))] == [
        ("Anna Maria", "Lee"), ("Dana", "Reyes"),
    ]  # fmt: skip
