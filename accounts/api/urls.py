"""Below /api/v1/."""

from django.urls import path

from accounts.api import (
    openapi,  # noqa: F401  registers how calls are signed
    views,
)

urlpatterns = [
    path("customers", views.CustomerList.as_view(), name="customers"),
    path("customers/<str:code>", views.CustomerDetail.as_view(), name="customer"),
]
