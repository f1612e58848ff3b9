"""Endings: what is fine raises no question, what is a slip is asked about with what may be meant."""

from __future__ import annotations

import pytest

from orders.validation.public_suffixes import registrable, weigh_ending


@pytest.mark.parametrize(
    "domain",
    [
        "acme.com",
        "acme.co",
        "acme.co.uk",
        "acme.com.au",
        "acme.ai",
        "com.com",
        "acme.xn--p1ai",
        "mail.acme.com",
    ],
)
def test_a_known_ending_is_fine(domain: str) -> None:
    assert weigh_ending(domain) is None


@pytest.mark.parametrize(
    ("domain", "message", "fix"),
    [
        ("acme.con", "There is no ending .con.", "Did you mean acme.com?"),
        ("acme.cmo", "There is no ending .cmo.", "Did you mean acme.com?"),
        ("acme.comm", "There is no ending .comm.", "Did you mean acme.com?"),
        ("acme.comcom", "There is no ending .comcom.", "Did you mean acme.com?"),
        ("acme.com.con", "There is no ending .con.", "Did you mean acme.com?"),
        ("acme.nett", "There is no ending .nett.", "Did you mean acme.net?"),
        ("acme.ogr", "There is no ending .ogr.", "Did you mean acme.org?"),
        ("acme.couk", "There is no ending .couk.", "Did you mean acme.co.uk?"),
        ("acme.agencyy", "There is no ending .agencyy.", "Did you mean acme.agency?"),
        ("acme.zzzzzz", "There is no ending .zzzzzz.", "Check how the name ends."),
        ("acme.com.com", "The ending .com stands twice.", "Did you mean acme.com?"),
        ("acme.com.com.com", "The ending .com stands twice.", "Did you mean acme.com?"),
        ("acme.co.uk.co.uk", "The ending .co.uk stands twice.", "Did you mean acme.co.uk?"),
        (
            "acme.net.com",
            "There are two endings, .net and .com.",
            "Did you mean acme.net or acme.com?",
        ),
        ("acme.cm", "The ending .cm is that of Cameroon.", "Did you mean acme.com?"),
        (
            "co.uk",
            "co.uk is an ending that names stand under.",
            "Write the whole name, for example acme.co.uk.",
        ),
    ],
)
def test_a_slip_is_asked_about(domain: str, message: str, fix: str) -> None:
    assert weigh_ending(domain) == (message, fix)


def test_what_can_be_bought() -> None:
    assert registrable("mail.acme.co.uk") == "acme.co.uk"
    assert registrable("acme.con") == ""
