"""Addresses: the admin site is the whole product. `/healthz` is answered before, by a middleware."""

from django.contrib import admin
from django.urls import include, path

handler403 = "mailops.site.errors.forbidden"
handler404 = "mailops.site.errors.not_found"

urlpatterns = [
    # what is not the site's comes before it: it answers for every other address
    path("my/notices/", include("mailops.notices.urls")),
    path("", admin.site.urls),
]
