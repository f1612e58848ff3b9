"""Addresses of a site on which every page crashes."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("Oh")


urlpatterns = [path("", crash)]
