"""Whatever spreadsheets, browsers and keyboards put into a line has an answer, and this is the
table of them.
"""

from __future__ import annotations

import pytest

from orders.drafting.intake import Row, read, read_domain
from tests.orders.drafting.intake.made import DOMAINS, MAILBOXES

TAKEN = [
    ("a non-breaking space", "acme.com,\u00a0Dana\u00a0Reyes\u00a0,\u202fdana", "acme.com, Dana Reyes, dana"),
    ("a non-breaking space before a quote", 'acme.com,\u00a0"Reyes, Dana", dana', 'acme.com, "Reyes, Dana", dana'),
    ("characters without width", "\u200bacme\u00ad.com\u2060, Da\u200dna, da\u200bna\ufeff", "acme.com, Dana, dana"),
    ("control characters", "acme\x00.com, Da\x07na, dana\x1b", "acme.com, Dana, dana"),
    ("marks for the direction of writing", "\u202aacme.com\u202c, Dana, dana", "acme.com, Dana, dana"),
    ("smart quotation marks around a cell", "acme.com, “Reyes, Dana”, dana", 'acme.com, "Reyes, Dana", dana'),
    ("a smart apostrophe", "acme.com, Ann O’Hara, ann", "acme.com, Ann O'Hara, ann"),
    ("trailing blanks", "acme.com  , Dana Reyes  , dana \t ", "acme.com, Dana Reyes, dana"),
    ("trailing separators", "acme.com, Dana, dana,,,", "acme.com, Dana, dana"),
    ("bars", "acme.com | Dana Reyes | dana", "acme.com, Dana Reyes, dana"),
    ("upper case", "ACME.COM, Dana, DANA", "acme.com, Dana, dana"),
    ("http:// and a path", "HTTP://acme.com/a/b.html, Dana, dana", "acme.com, Dana, dana"),
    ("https:// with a port and a question", "https://acme.com:443/?utm=1, Dana, dana", "acme.com, Dana, dana"),
    ("only slashes in front", "//acme.com/, Dana, dana", "acme.com, Dana, dana"),
    ("a trailing dot", "acme.com., Dana, dana@acme.com.", "acme.com, Dana, dana"),
    ("mailto: in front", "acme.com, Dana, mailto:dana@acme.com", "acme.com, Dana, dana"),
    ("wide letters", "ａｃｍｅ．ｃｏｍ, Dana, dana", "acme.com, Dana, dana"),
    ("letters beyond a to z", "Café.com, Dana, dana@café.com", "xn--caf-dma.com, Dana, dana"),
    ("a stored international name", "XN--CAF-DMA.com, Dana, dana", "xn--caf-dma.com, Dana, dana"),
    ("ß stays ß", "straße.de, Dana, dana", "xn--strae-oqa.de, Dana, dana"),
    ("a quotation mark inside", 'acme.com, "Dana ""Dee"" Reyes", dana', 'acme.com, "Dana ""Dee"" Reyes", dana'),
]  # fmt: skip


def taken(text: str) -> Row:
    reading = read(text, DOMAINS)
    assert not reading.bad, reading.bad
    (row,) = reading.rows
    return row


@pytest.mark.parametrize(("text", "line"), [pytest.param(*rest, id=name) for name, *rest in TAKEN])
def test_an_oddity_is_taken_for_what_it_means(text: str, line: str) -> None:
    assert taken(text).line() == line


REFUSED = [
    ("=cmd|' /C calc'!A0, Dana, dana", "begins like a formula", "without the = in front"),
    ("acme.com, =HYPERLINK(1), dana", "begins like a formula", "without the = in front"),
    ("acme.com, +Dana, dana", "“+Dana” begins like a formula", "without the + in front"),
    ("acme.com, -Dana, dana", "“-Dana” begins like a formula", "without the - in front"),
    ("acme.com, @Dana, dana", "“@Dana” begins like a formula", "without the @ in front"),
    ("acme.com, Dana =Reyes, dana", "“=Reyes” begins like a formula", "without the = in front"),
    ("acme.com, -, dana", "“-” begins like a formula", "Leave that cell empty."),
    ("acme.com, '=Dana, dana", "“=Dana” begins like a formula", "without the = in front"),
    ("acme.com, Dana, =dana", "“=dana” begins like a formula", "without the = in front"),
    ("acme.com, Dana, dana, =p", "“=p” begins like a formula", "without the = in front"),
    ("acme.com, Dana, dana, , =p", "“=p” begins like a formula", "without the = in front"),
    ("acme.com, Dana, dana, , , =2", "“=2” begins like a formula", "without the = in front"),
    ("+acme.com, Dana, dana", "“+acme.com” can't be a domain", "Did you mean acme.com?"),
    ("acme.com, Dana, +dana", "not allowed before the @", "Use dana?"),
    ("☃.com, Dana, dana", "“☃.com” can't be a domain", "letters, digits and hyphens"),
    ("café, Dana, dana", "“café” has no ending", "Did you mean café.com?"),
    ("xn--999999999.com, Dana, dana", "can't be a domain", "letters, digits and hyphens"),
    (f"{'é' * 300}.com, Dana, dana", "can't be a domain", "letters, digits and hyphens"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "fix"), REFUSED)
def test_what_is_refused_says_how_to_mend_it(text: str, message: str, fix: str) -> None:
    (bad,) = read(text, DOMAINS).bad
    assert message in bad.message
    assert fix in bad.fix


DOUBTED = [
    ("www.acme.com", "acme.com", "www. in front was taken off.", "The order is for acme.com."),
    (
        "http://WWW.acme.co.uk/",
        "acme.co.uk",
        "www. in front was taken off.",
        "The order is for acme.co.uk.",
    ),
    ("mail.acme.co.uk", "mail.acme.co.uk", "a part of acme.co.uk", "Did you mean acme.co.uk?"),
    ("acme.con", "acme.con", "There is no ending .con.", "Did you mean acme.com?"),
    ("acme.com.com", "acme.com.com", "The ending .com stands twice.", "Did you mean acme.com?"),
    ("аcme.com", "xn--cme-5cd.com", "Cyrillic and Latin letters", "Did you mean acme.com?"),
    (
        "асе.com",
        "xn--80ak9a.com",
        "Cyrillic letters that look like others",
        "Did you mean ace.com?",
    ),
]


@pytest.mark.parametrize(("typed", "domain", "message", "fix"), DOUBTED)
def test_a_doubtful_domain_is_taken_and_asked_about(
    typed: str, domain: str, message: str, fix: str
) -> None:
    reading = read(f"{typed}, Dana, dana", DOMAINS)
    (result,) = reading.results
    assert result.row is not None and result.row.domain == domain
    (doubt,) = result.doubts
    assert message in doubt.message
    assert doubt.fix == fix
    assert reading.doubts == [doubt]


@pytest.mark.parametrize(
    "domain",
    [
        "acme.com",
        "acme.co",
        "acme.co.uk",
        "www.com",
        "café.com",
        "президент.рф",
        "日本語.jp",
        "acme.agency",
    ],
)
def test_a_good_domain_raises_no_doubt(domain: str) -> None:
    assert read(domain, DOMAINS).doubts == []


def test_a_part_of_a_domain_is_fine_where_no_domain_is_bought() -> None:
    assert read("mail.acme.com, Dana, dana", MAILBOXES).doubts == []


def test_an_international_domain_is_shown_in_both_forms() -> None:
    assert taken("café.com, Dana, dana").shown_domain == "café.com (xn--caf-dma.com)"
    assert taken("acme.com, Dana, dana").shown_domain == "acme.com"


def test_a_domain_to_forward_to_keeps_its_www() -> None:
    kept = taken("acme.com, Dana, dana, , https://www.example.com/").forward_to
    assert kept == "https://www.example.com/"
    assert read_domain("https://www.example.com/") == "www.example.com"


# Line breaks


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85"])
def test_lines_end_in_many_ways(end: str) -> None:
    assert [row.number for row in read(f"a.com{end}b.com{end}{end}c.com", DOMAINS).rows] == [
        1,
        2,
        4,
    ]


def test_mixed_line_ends_in_one_paste() -> None:
    assert [row.number for row in read("a.com\r\nb.com\nc.com\rd.com", DOMAINS).rows] == [
        1,
        2,
        3,
        4,
    ]


@pytest.mark.parametrize("mark", ["\t", ",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_break_inside_a_spreadsheet_cell_is_a_space_and_is_said(mark: str, end: str) -> None:
    text = f'acme.com{mark}"Dana{end}Reyes"{mark}dana{end}b.com{mark}Sam{mark}sam'
    reading = read(text, DOMAINS)
    assert [(row.number, row.line()) for row in reading.rows] == [
        (1, "acme.com, Dana Reyes, dana"),
        (3, "b.com, Sam, sam"),
    ]
    (doubt,) = reading.doubts
    assert "Lines 1 to 2 are one row" in doubt.message


def test_a_stray_quotation_mark_does_not_swallow_the_lines_below() -> None:
    text = 'acme.com, "Dana, dana\n' + "\n".join(f"a{n}.com, A, a" for n in range(50))
    reading = read(text, DOMAINS)
    assert [bad.number for bad in reading.bad] == [1]
    assert len(reading.rows) == 50


def test_two_stray_quotation_marks_do_not_make_one_line_of_two() -> None:
    reading = read('acme.com, "Dana, dana\nb.com, "Sam, sam\nc.com, Lee, lee', DOMAINS)
    assert [result.number for result in reading.results] == [1, 2, 3]
    assert [row.domain for row in reading.rows] == ["c.com"]


def test_what_is_too_much_is_counted() -> None:
    reading = read("a.com\nb.com\nc.com\nd.com", DOMAINS, most=2)
    (bad,) = reading.bad
    assert (bad.number, len(reading.rows)) == (3, 2)
    assert bad.message == "Too many lines. There are 4: this one and 1 after it are not read."
