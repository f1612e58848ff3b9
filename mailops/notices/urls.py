"""The pages about one's own notices, under one's own name."""

from django.contrib import admin
from django.urls import path

from mailops.notices import page

urlpatterns = [
    path("", admin.site.admin_view(page.own), name="own_notices"),
    path("test/", admin.site.admin_view(page.test), name="own_notices_test"),
    path("forget/", admin.site.admin_view(page.forget), name="own_notices_forget"),
]
