"""Login passwords, keys of second factors, codes and session numbers: in no table, log, page or
record.
"""

from __future__ import annotations

import base64
import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from tests.auth.conftest import PASSWORD, sign_in
from tests.auth.phone import Phone

WRONG = "typed-a-wrong-one-99"
OTHER = "entirely-other-words-7"


def tables() -> str:
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            if table != "django_session":  # its own numbers are its keys
                cursor.execute(f'SELECT * FROM "{table}"')
                found.append(repr(cursor.fetchall()))
    return "\n".join(found)


@pytest.mark.django_db
def test_nothing_of_the_doors_lies_open_anywhere(
    who: SimpleNamespace, caplog: Any, capfd: Any, settings: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, name)
    caplog.set_level(
        logging.INFO, "django.db.backends"
    )  # it prints each statement with what it writes
    settings.FRESH_SIGN_IN_MINUTES = 15
    browser, boss = Browser(), Browser()
    sign_in("confirmer", password=WRONG, browser=browser)
    sign_in(WRONG, password=PASSWORD, browser=browser)  # typed into the wrong field
    sign_in("confirmer", browser=browser)
    page = browser.get("/second-factor/add/")
    phone = Phone(page.context["key"])
    first = phone.code()
    done = browser.post(
        "/second-factor/add/", {"key": page.context["form"].initial["key"], "code": first}
    )
    codes = re.findall(r"<li><code>([A-Z2-7-]+)</code>", done.content.decode())
    used = [phone.code(), codes[0]]
    for code in used:
        sign_in("confirmer", browser=browser)
        browser.post("/logout/")
        sign_in("confirmer", browser=browser)
        assert browser.post("/login/code/", {"code": code}).status_code == 302
    session = browser.session.session_key
    browser.post(
        "/password_change/",
        {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER},
    )
    boss.force_login(who.boss)
    urls = ("/", "/history/event/", "/history/event/?p=2", "/auth/user/", f"/auth/user/{who.confirmer.pk}/change/",
            "/doors/authenticator/", "/second-factor/")  # fmt: skip
    shown = "\n".join(one.get(url).content.decode() for one in (boss, browser) for url in urls)
    out, err = capfd.readouterr()
    key = base64.b32encode(phone.key).decode()
    spelled = [
        key,
        page.context["key"],
        phone.key.hex(),
        *codes,
        *(code.replace("-", "") for code in codes),
    ]
    secrets = [PASSWORD, OTHER, session, *spelled]
    for place, held in {
        "tables": tables(),
        "logs": caplog.text + out + err,
        "pages": shown,
    }.items():
        assert [secret[:6] for secret in secrets if secret and secret in held] == [], place
    assert WRONG not in caplog.text + out + err
