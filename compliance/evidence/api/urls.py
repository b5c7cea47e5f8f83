"""Paths under /api/v1/."""

from django.urls import path

from compliance.evidence.api import views

urlpatterns = [
    path("invoices/<int:invoice_id>/lines/<int:line_id>/trace", views.TraceView.as_view()),
]
