"""The error pages 403 and 404, in the same frame as every other page."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "403.html", title="You may not open this page", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "404.html", title="This page does not exist", status=404)


def _page(request: HttpRequest, template: str, *, title: str, status: int) -> HttpResponse:
    return render(
        request, template, admin.site.each_context(request) | {"title": title}, status=status
    )
