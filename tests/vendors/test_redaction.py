"""Secrets in a vendor's answer: long ones are struck out everywhere, short ones as whole values."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from vendors.admin import form_for
from vendors.apis import REGISTRY
from vendors.http import Secret, redact_text
from vendors.http.redaction import redact

MASK = str(Secret("hosting_password"))


def masked(body: str, secret: str) -> str:
    return redact(body.encode(), {"hosting_password": secret}).decode()


@pytest.mark.parametrize(
    ("body", "then"),
    [
        ('{"password":"ok"}', '{"password":"%s"}'),
        ('{"a": "ok", "b": ["ok","ok" , "ok"]}', '{"a": "%s", "b": ["%s","%s" , "%s"]}'),
        ("user=me&password=ok&page=2", "user=me&password=%s&page=2"),
        ("/login?password=ok", "/login?password=%s"),
        ("hosting[password]=ok", "hosting[password]=%s"),
        # JSON within JSON, and both on a web page
        (r'{"sent": "{\"password\": \"ok\"}"}', r'{"sent": "{\"password\": \"%s\"}"}'),
        ("<pre>{&quot;password&quot;: &quot;ok&quot;}</pre>", "<pre>{&quot;password&quot;: &quot;%s&quot;}</pre>"),
    ],
)  # fmt: skip
def test_a_short_secret_is_masked_where_it_is_a_whole_value(body: str, then: str) -> None:
    assert masked(body, "ok") == then.replace("%s", MASK)


@pytest.mark.parametrize(
    "body",
    [
        '{"ok": true, "status": 200}',
        '{"ok" : "yes"}',
        '{"message": "The token is ok, not broken"}',
        '{"token": "ok-1", "book": "okra"}',
        "token=okay&ok=1",
        "<p>ok</p>",
        "ok",
        '{"number": 12}',
    ],
)
def test_a_short_secret_tears_nothing_apart(body: str) -> None:
    assert masked(body, "ok") == body
    assert masked(body, "12") == body


def test_a_short_secret_with_a_long_spelling_is_short() -> None:
    body = json.dumps({"message": "At the café", "password": "é"})
    assert json.loads(masked(body, "é")) == {"message": "At the café", "password": MASK}


@pytest.mark.parametrize("secret", ["", "a", "200", "true", '"', "\\", "é", "a/b", ".*"])
def test_whatever_a_short_secret_is_the_answer_stays_what_it_is(secret: str) -> None:
    answer = {"status": 200, "success": True, "message": "true", "data": {"orderId": "RJK7"}}
    body = masked(json.dumps(answer), secret)
    kept = json.loads(body)
    assert kept.keys() == answer.keys() and kept["status"] == 200 and kept["success"] is True
    assert kept["data"] == answer["data"]
    assert kept["message"] == (MASK if secret == "true" else "true")


@given(secret=st.text(min_size=1, max_size=5), name=st.sampled_from(["password", "p"]))
def test_a_short_secret_never_comes_back_as_a_value(secret: str, name: str) -> None:
    sent: dict[str, Any] = {name: secret, "list": [secret], "depth": {name: secret}}
    for only_ascii in (True, False):
        try:
            body = json.dumps(sent, ensure_ascii=only_ascii).encode()
        except UnicodeEncodeError:  # half a surrogate pair has no form in UTF-8
            continue
        back = json.loads(redact(body, {"hosting_password": secret}))
        assert back == {name: MASK, "list": [MASK], "depth": {name: MASK}}
    form = redact(urlencode({"a": 1, name: secret}).encode(), {"hosting_password": secret})
    assert form == f"a=1&{name}={MASK}".encode()


def test_a_long_secret_is_struck_out_wherever_it_stands() -> None:
    assert masked("the word secret-1 in a text", "secret-1") == f"the word {MASK} in a text"
    assert masked('{"xsecret-1x": 1}', "secret-1") == f'{{"x{MASK}x": 1}}'


def test_a_text_for_people_that_is_a_short_secret_is_masked() -> None:
    secrets = {"hosting_password": "ok"}
    assert redact_text(" ok ", secrets) == MASK
    assert redact_text("ok then", secrets) == "ok then"
    assert redact_text("", {"hosting_password": ""}) == ""


@pytest.mark.parametrize("api", sorted(REGISTRY))
def test_an_api_key_is_never_short(api: str) -> None:
    for name in REGISTRY[api].secrets:
        field = form_for(api).declared_fields[f"secret_{name}"]
        with pytest.raises(ValidationError):
            field.clean("abcde")
        assert field.clean("abcdef") == "abcdef"
