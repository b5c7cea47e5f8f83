"""Every URL of the product."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from billing_ops import health, views

API_ROOMS = (
    "accounts",
    "metering",
    "invoicing.pricing",
    "invoicing.rating",
    "invoicing.policy",
    "invoicing.effects",
    "invoicing.cycle",
    "invoicing.payments",
    "invoicing.exposure",
    "invoicing.notices",
    "invoicing.alerts",
    "invoicing.charge_controls",
    "invoicing.replay",
    "compliance.payouts",
    "compliance.evidence",
    "compliance.launch",
    "compliance.disputes",
    "compliance.erasure",
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.show_home, name="home"),
    path("admin/", admin.site.urls),
    path("portal/", include("invoicing.portal.urls")),
    path("portal/disputes/", include("compliance.disputes.portal.urls")),
    path("api/v1/schema/", views.SchemaView.as_view(), name="schema"),
    path("api/v1/docs/", views.DocsView.as_view(), name="docs"),
    *(path("api/v1/", include(f"{room}.api.urls")) for room in API_ROOMS),
    path("", include("metering.api.foreign_urls")),
    path("healthz", health.show_life, name="healthz"),
    path("readyz", health.show_readiness, name="readyz"),
]

handler400 = "core.http.fallbacks.bad_request"
handler403 = "core.http.fallbacks.permission_denied"
handler404 = "core.http.fallbacks.page_not_found"
handler500 = "core.http.fallbacks.server_error"
