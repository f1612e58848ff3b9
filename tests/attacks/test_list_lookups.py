"""Addresses of lists with look-ups that no filter writes: a pattern that never ends, other columns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db import connection, models
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

EVIL = "(a+)+$"
LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def address(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def browser(people: SimpleNamespace) -> Browser:
    made = Browser()
    made.force_login(people.boss)
    return made


def text_column(model: type[models.Model]) -> str:
    return next(
        (field.name for field in model._meta.concrete_fields if isinstance(field, models.CharField)),
        model._meta.pk.name,
    )  # fmt: skip


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("form", ["__regex", "__iregex", "__contains", "__gt"])
def test_a_lookup_that_no_filter_writes_leads_to_the_whole_list(
    browser: Browser, model: type[models.Model], form: str
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = browser.get(address(model), {f"{text_column(model)}{form}": EVIL})
    assert response.status_code in (302, 403)  # 403: nobody has this list
    if response.status_code == 302:
        assert response["Location"] == f"{address(model)}?e=1"
        assert browser.get(response["Location"]).status_code == 200
    assert not any(EVIL in query["sql"] for query in queries)


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_what_the_filters_of_a_list_write_is_taken(
    browser: Browser, model: type[models.Model], rf: Any
) -> None:
    if browser.get(address(model)).status_code == 403:
        pytest.skip("nobody has this list")
    for item in admin.site._registry[model].list_filter:
        if isinstance(item, type) and issubclass(item, SimpleListFilter):
            names = [str(item.parameter_name)]
        else:
            field = model._meta.get_field(str(item).partition("__")[0])
            names = [f"{item}__isnull"]
            if field.is_relation:
                names.append(f"{item}__id__exact")
            elif field.choices or isinstance(field, models.BooleanField):
                names.append(f"{item}__exact")
            else:
                names.append(str(item))
        for name in names:
            response = browser.get(address(model), {name: "0"})
            assert "?e=1" not in response.get("Location", ""), name
