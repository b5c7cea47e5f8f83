"""Every URL of the product."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("invoicing.pricing.api.urls")),
    path("api/v1/", include("invoicing.rating.api.urls")),
    path("api/v1/", include("compliance.payouts.api.urls")),
]
