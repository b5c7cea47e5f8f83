"""Addresses below `/api/v1/`."""

from django.urls import path

from invoicing.alerts.api import views

urlpatterns = [path("alert-firings", views.FiringList.as_view())]
