"""Addresses. The admin site serves all but the own notices; a middleware answers `/healthz`."""

from django.contrib import admin
from django.urls import include, path

handler403 = "mailops.site.errors.forbidden"
handler404 = "mailops.site.errors.not_found"

urlpatterns = [
    # before the site's, whose last pattern takes every other address
    path("my/notices/", include("mailops.notices.urls")),
    path("", admin.site.urls),
]
