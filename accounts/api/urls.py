"""Below /api/v1/."""

from django.urls import path

from accounts.api import (
    external_ids,
    openapi,  # noqa: F401  registers how calls are signed
    views,
)

urlpatterns = [
    path("customers", views.CustomerList.as_view(), name="customers"),
    path("customers/<str:code>/external-ids", external_ids.ExternalIdList.as_view(), name="external-ids"),
    path(
        "customers/<str:code>/external-ids/<str:system>/<path:external_id>",
        external_ids.ExternalIdDetail.as_view(),
        name="external-id",
    ),
    path("customers/<str:code>", views.CustomerDetail.as_view(), name="customer"),
]
