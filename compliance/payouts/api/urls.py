"""Paths under /api/v1/."""

from django.urls import path

from compliance.payouts.api import batches, gates, payables, payees

urlpatterns = [
    path("payees", payees.PayeeListView.as_view()),
    path("payees/<str:code>", payees.PayeeView.as_view()),
    path("gate-requirements", payees.RequirementListView.as_view()),
    path("gate-checks", gates.GateCheckListView.as_view()),
    path("gate-checks/<int:check_id>", gates.GateCheckView.as_view()),
    path("gate-checks/<int:check_id>/approve", gates.ApproveView.as_view()),
    path("gate-checks/<int:check_id>/reject", gates.RejectView.as_view()),
    path("gate-checks/<int:check_id>/suspend", gates.SuspendView.as_view()),
    path("gate-checks/<int:check_id>/request", gates.RequestView.as_view()),
    path("gate-checks/<int:check_id>/review", gates.ReviewView.as_view()),
    path("gate-checks/<int:check_id>/evidence", gates.EvidenceListView.as_view()),
    path("gate-checks/<int:check_id>/evidence/<int:file_id>", gates.EvidenceView.as_view()),
    path("payables", payables.PayableListView.as_view()),
    path("payables/<int:payable_id>", payables.PayableView.as_view()),
    path("payables/<int:payable_id>/withdraw", payables.WithdrawView.as_view()),
    path("payout-batches", batches.BatchListView.as_view()),
    path("payout-batches/<int:batch_id>", batches.BatchView.as_view()),
    path("payout-batches/<int:batch_id>/release", batches.ReleaseView.as_view()),
]
