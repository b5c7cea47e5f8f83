"""Addresses below `/api/v1/`."""

from django.urls import path

from invoicing.cycle.api import backfills, breaks, closes, deltas, views

urlpatterns = [
    path("closes", closes.CloseListView.as_view()),
    path("closes/<int:run_id>", closes.CloseView.as_view()),
    path("parked-customers", closes.ParkedListView.as_view()),
    path("parked-customers/<int:parked_id>/try-again", closes.TryAgainView.as_view()),
    path("invoices", views.InvoiceListView.as_view()),
    path("invoices/preview", views.PreviewView.as_view()),
    path("invoices/approve", views.ApproveManyView.as_view()),
    path("hold-reasons", views.HoldReasonsView.as_view()),
    path("invoices/<int:invoice_id>", views.InvoiceView.as_view()),
    path("invoices/<int:invoice_id>/hold", views.HoldView.as_view()),
    path("invoices/<int:invoice_id>/release", views.ReleaseView.as_view()),
    path("invoices/<int:invoice_id>/approve", views.ApproveView.as_view()),
    path("invoices/<int:invoice_id>/comments", views.CommentsView.as_view()),
    path("invoices/<int:invoice_id>/finalize", views.FinalizeView.as_view()),
    path("invoices/<int:invoice_id>/discard", views.DiscardView.as_view()),
    path("invoices/<int:invoice_id>/credit", views.CreditView.as_view()),
    path("invoices/<int:invoice_id>/recheck", views.RecheckView.as_view()),
    path("invoices/<int:invoice_id>/repair", breaks.RepairView.as_view()),
    path("invoices/<int:invoice_id>/breaks/<int:break_id>/events", breaks.BreakEventsView.as_view()),
    path("invoices/<int:invoice_id>/pdf", views.PdfView.as_view()),
    path("backfills", backfills.BackfillListView.as_view()),
    path("backfills/<str:name>", backfills.BackfillView.as_view()),
    path("backfills/<str:name>/events", backfills.BackfillEventsView.as_view()),
    path("backfills/<str:name>/inspect", backfills.BackfillInspectView.as_view()),
    path("backfills/<str:name>/drop", backfills.BackfillDropView.as_view()),
    path("delta-reports", deltas.DeltaListView.as_view()),
    path("delta-reports/<int:report_id>", deltas.DeltaView.as_view()),
    path("delta-reports/<int:report_id>/approve", deltas.DeltaApproveView.as_view()),
    path("delta-reports/<int:report_id>/reject", deltas.DeltaRejectView.as_view()),
]
