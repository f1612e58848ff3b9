"""Parts of sentences, and lists in portions."""

import pytest

from mailops.core.text import as_sentence, chunks, first_few, listed, plural


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 domains"), (1, "1 domain"), (2, "2 domains"), (1200, "1,200 domains")],
)
def test_a_count_has_its_noun_in_the_right_number(count, words):
    assert plural(count, "domain") == words


def test_a_plural_of_its_own_and_a_verb_are_given():
    assert plural(1, "mailbox", "mailboxes") == "1 mailbox"
    assert plural(3, "mailbox", "mailboxes") == "3 mailboxes"
    assert plural(1, "order is", "orders are") == "1 order is"
    assert plural(2, "order is", "orders are") == "2 orders are"


@pytest.mark.parametrize(
    ("items", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_list_has_an_and_before_its_last_item(items, words):
    assert listed(items) == words
    assert listed(iter(items)) == words


def test_a_long_list_says_how_many_it_leaves_out():
    assert first_few([], 3) == ""
    assert first_few(["a", "b", "c"], 3) == "a, b, c"
    assert first_few(["a", "b", "c", "d", "e"], 3) == "a, b, c and 2 more"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Out of credit", "Out of credit."),
        (" Out of credit. ", "Out of credit."),
        ("Why?", "Why?"),
        ("No!", "No!"),
        ("Wait…", "Wait…"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_sentence_ends_with_one_full_stop(text, sentence):
    assert as_sentence(text) == sentence


def test_chunks_keep_the_order_and_lose_nothing():
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks(iter("abcd"), 2)) == [["a", "b"], ["c", "d"]]
    assert list(chunks([], 2)) == []
