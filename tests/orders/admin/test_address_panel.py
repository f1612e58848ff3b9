"""The panel that makes addresses: a preview first, nothing is saved, no entry is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.drafting.intake import read
from orders.models import Order
from tests.conftest import OrderFactory
from tests.orders.pages import add_url, browser, typed, url


class Draft:
    """The draft page of one product, filled in and sent with a button of the panel."""

    def __init__(
        self, factory: OrderFactory, api: str = "coldmailreseller", product: str = "domains"
    ) -> None:
        self.browser, self.api, self.product = browser(factory.people.drafter), api, product
        self.url = add_url(factory.accounts[api], product)

    def post(self, button: str, value: str = "1", **fields: Any) -> Any:
        asked = {f"make-{name}": text for name, text in DEFAULTS.items()}
        asked |= {
            f"make-{name}": text for name, text in fields.items() if name not in ("rows", "seen")
        }
        data = typed(self.api, self.product, rows=fields.get("rows", "")) | asked | {button: value}
        return self.browser.post(
            self.url, data | ({"make-seen": fields["seen"]} if "seen" in fields else {})
        )

    def accept(self, **fields: Any) -> Any:
        seen = self.post("make", **fields).context["panel"].seen
        return self.post("make-accept", seen=seen, **fields)


DEFAULTS = {
    "names": "",
    "domains": "",
    "mode": "every",
    "per_domain": "",
    "pattern": "{first}",
    "own": "",
    "umlauts": "plain",
}


@pytest.fixture
def draft(factory: OrderFactory) -> Draft:
    return Draft(factory)


def addresses(response: Any) -> list[str]:
    return [one.row.address for one in response.context["panel"].making.made]


def box(response: Any) -> str:
    text: str = response.context["form"]["rows"].value()
    return text


def page(response: Any) -> str:
    return response.content.decode().replace("&#x27;", "'")


def test_a_preview_shows_the_addresses_and_saves_nothing(draft: Draft) -> None:
    response = draft.post(
        "make", names="Dana Reyes\nSam Ito", domains="Domain\na.com\nhttps://B.com/", per_domain="3"
    )
    assert response.status_code == 200
    assert len(addresses(response)) == 6
    assert "6 mailboxes on 2 domains" in page(response)
    assert "d.reyes@b.com" not in page(response)
    assert box(response) == ""
    assert not Order.objects.exists()


def test_taking_the_preview_over_puts_it_into_the_box(draft: Draft) -> None:
    response = draft.accept(names="Dana Reyes", domains="a.com", rows="b.com, Sam Ito, sam")
    assert box(response) == "b.com, Sam Ito, sam\na.com, Dana Reyes, dana"
    assert "1 address is in the lines now." in page(response)
    read_again = read(box(response), response.context["what"])
    assert [row.address for row in read_again.rows] == ["sam@b.com", "dana@a.com"]
    assert not Order.objects.exists()


def test_what_the_lines_hold_stands_for_what_is_left_empty(draft: Draft) -> None:
    lines = "b.com, Sam Ito, sam\nc.com, , , , home.com, 2"
    response = draft.accept(rows=lines)
    assert box(response) == "b.com, Sam Ito, sam\nc.com, Sam Ito, sam, , home.com, 2"


def test_lines_that_lack_an_address_get_one(draft: Draft) -> None:
    lines = "name\tdomain\nDana Reyes\ta.com\nSam Ito\ta.com\nDana Ito\ta.com"
    response = draft.accept(rows=lines, mode="lines")
    assert (
        box(response) == "a.com, Dana Reyes, dana\na.com, Sam Ito, sam\na.com, Dana Ito, dana.ito"
    )


def test_what_was_not_shown_is_not_taken_over(draft: Draft) -> None:
    seen = draft.post("make", names="Dana Reyes", domains="a.com").context["panel"].seen
    response = draft.post("make-accept", names="Sam Ito", domains="a.com", seen=seen)
    assert "Something has changed since the preview was shown" in page(response)
    assert (addresses(response), box(response)) == (["sam@a.com"], "")


def test_an_address_that_is_owned_or_on_another_order_is_passed_over(
    draft: Draft, factory: OrderFactory
) -> None:
    other = factory.reviewed()
    response = draft.post("make", names="Dana Reyes", domains="acme.com")
    assert addresses(response) == ["dana.reyes@acme.com"]
    assert f"dana@acme.com is on {other}." in page(response)


def test_the_own_draft_is_no_collision(factory: OrderFactory) -> None:
    order = factory.draft("coldmailreseller", "domains")
    data = typed("coldmailreseller", "domains", rows="", version=order.version) | {"make": "1"}
    data |= {f"make-{name}": text for name, text in DEFAULTS.items()}
    data |= {"make-names": "Dana Reyes", "make-domains": "acme.com"}
    response = browser(factory.people.drafter).post(url(order, "edit"), data)
    assert addresses(response) == ["dana@acme.com"]


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("names", "Dana Reyes\ndana@acme.com", "Line 2: “dana@acme.com” is an address."),
        ("domains", "acme", "Line 1: “acme” has no ending. Did you mean acme.com?"),
        ("own", "first.last", "Did you mean {first}.{last}?"),
        ("per_domain", "0", "Write 1 or more, or leave it empty."),
        ("per_domain", "two", "Write a whole number, for example 3."),
        ("per_domain", "101", "Write 100 or less."),
        ("names", "", "There are no names yet."),
        ("domains", "", "There are no domains yet."),
        ("mode", "lines", "No line has a name and no address."),
    ],
)
def test_bad_input_is_said_at_its_field_and_nothing_is_lost(
    draft: Draft, field: str, text: str, said: str
) -> None:
    fields = {"names": "Dana Reyes", "domains": "a.com"} | {field: text}
    response = draft.post("make", **fields)
    assert response.status_code == 200
    form = response.context["panel"].form
    assert said in " ".join(form.errors[field])
    assert said in page(response)
    assert all(form[name].value() == value for name, value in fields.items())


def test_a_line_that_needs_a_change_is_mended_first(draft: Draft) -> None:
    response = draft.post("make", names="Dana Reyes", rows="a.com, Sam Ito, sam\nbroken")
    assert "Line 2 needs a change first. “broken” has no ending." in page(response)
    assert box(response) == "a.com, Sam Ito, sam\nbroken"


def test_a_line_that_says_something_else_of_its_domain_is_not_quietly_changed(draft: Draft) -> None:
    lines = "a.com, Dana Reyes, , , home.com\na.com, Sam Ito, , , other.com"
    response = draft.post("make", mode="lines", rows=lines)
    assert "Line 2 needs a change first." in page(response)


def test_nothing_left_to_make_is_said(draft: Draft) -> None:
    response = draft.post("make", names="Dana Reyes", rows="a.com, Dana Reyes, dana")
    assert "Nothing is left to make" in page(response)


def test_more_than_an_order_takes_is_said(draft: Draft) -> None:
    names = "\n".join(f"Dana{n} Reyes" for n in range(101))
    response = draft.post("make", names=names, domains="\n".join(f"a{n}.com" for n in range(50)))
    assert "more than 5,000 lines" in page(response)


def test_a_long_preview_comes_in_pages_and_is_taken_over_whole(draft: Draft) -> None:
    fields = {
        "names": "\n".join(f"Dana{n} Reyes" for n in range(100)),
        "domains": "a.com\nb.com\nc.com",
    }
    first = draft.post("make", **fields)
    assert "1 to 100 of 300" in page(first)
    assert "dana99@a.com" in page(first)
    assert "201 to 300 of 300" in page(draft.post("make", value="3", **fields))
    assert len(read(box(draft.accept(**fields)), first.context["what"]).rows) == 300


def test_what_was_typed_in_the_panel_outlives_a_failed_save(draft: Draft) -> None:
    response = draft.post("save", names="Dana Reyes", own="{f}{last}", rows="broken")
    assert response.status_code == 400
    form = response.context["panel"].form
    assert (form["names"].value(), form["own"].value()) == ("Dana Reyes", "{f}{last}")
    assert not form.errors
    assert response.context["panel"].is_open


def test_lines_that_lack_only_their_address_are_pointed_out_after_a_failed_save(
    draft: Draft,
) -> None:
    response = draft.post("save", rows="a.com, Dana Reyes\na.com, Sam Ito\nbroken")
    assert response.status_code == 400
    assert "2 lines above have a name and no address. Make them here." in page(response)
    panel = response.context["panel"]
    assert (panel.is_open, panel.form["mode"].value()) == (True, "lines")


def test_the_numbers_that_scaledmail_documents_are_named(factory: OrderFactory) -> None:
    draft = Draft(factory, "scaledmail", "package")
    response = draft.post(
        "make", names="Dana Reyes\nSam Ito\nLee Wong", domains="a.net", rows="b.net, Dana Reyes"
    )
    assert "2 for Google, 25 for Outlook, 4 for SMTP. a.net has 3." in page(response)
    assert "1 domain has no address yet, b.net for one" in page(response)


def test_umlauts_as_german_writes_them(draft: Draft) -> None:
    response = draft.post(
        "make", names="Jürgen Müller", domains="a.com", pattern="{last}.{first}", umlauts="german"
    )
    assert addresses(response) == ["mueller.juergen@a.com"]


def test_the_count_of_a_sending_volume_is_shown_and_filled_in(draft: Draft) -> None:
    response = draft.browser.get(draft.url + "&domains=12&mailboxes=34")
    assert "From your sending volume: 12 domains with 34 mailboxes." in page(response)
    assert response.context["panel"].form["per_domain"].value() == 3
    assert draft.browser.get(draft.url + "&domains=²&mailboxes=x").status_code == 200


def test_two_thousand_lines_ask_the_database_as_often_as_two(draft: Draft) -> None:
    def asked(count: int) -> int:
        lines = "\n".join(f"a{n}.com, Dana Reyes" for n in range(count))
        with CaptureQueriesContext(connection) as queries:
            response = draft.post("make", mode="lines", rows=lines)
        assert len(addresses(response)) == count
        return len(queries)

    assert asked(2000) == asked(2)
