"""Paths under /api/v1/."""

from django.urls import path

from compliance.evidence.api import documents, forward, packs, views

urlpatterns = [
    path("invoices/<int:invoice_id>/evidence", packs.EvidenceView.as_view()),
    path("invoices/<int:invoice_id>/trace", documents.DocumentTraceView.as_view()),
    path("invoices/<int:invoice_id>/credit-lines/<int:line_id>/trace", documents.CreditTraceView.as_view()),
    path("invoices/<int:invoice_id>/lines/<int:line_id>/trace", views.TraceView.as_view()),
    path("invoices/<int:invoice_id>/lines/<int:line_id>/events", views.LineEventsView.as_view()),
    path("trace/events", forward.EventTraceView.as_view()),
    path("trace/snapshots/<int:snapshot_id>", forward.SnapshotTraceView.as_view()),
]
