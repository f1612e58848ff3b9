"""Addresses of a person's own pages about notices."""

from django.contrib import admin
from django.urls import path

from mailops.notices import preferences

urlpatterns = [
    path("", admin.site.admin_view(preferences.own), name="own_notices"),
    path("test/", admin.site.admin_view(preferences.test), name="own_notices_test"),
    path("forget/", admin.site.admin_view(preferences.forget), name="own_notices_forget"),
]
