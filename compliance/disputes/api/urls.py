"""Addresses below `/api/v1/`."""

from django.urls import path

from compliance.disputes.api import views

urlpatterns = [
    path("disputes", views.DisputeList.as_view()),
    path("disputes/<int:dispute_id>", views.DisputeView.as_view()),
    path("disputes/<int:dispute_id>/uphold", views.UpholdView.as_view()),
    path("disputes/<int:dispute_id>/reject", views.RejectView.as_view()),
    path("disputes/<int:dispute_id>/withdraw", views.WithdrawView.as_view()),
    path("disputes/<int:dispute_id>/rebuild", views.RebuildView.as_view()),
    path("disputes/<int:dispute_id>/assign", views.AssignView.as_view()),
    path("disputes/<int:dispute_id>/messages", views.MessagesView.as_view()),
    path("disputes/<int:dispute_id>/hold-collection", views.CollectionHoldView.as_view()),
    path("disputes/<int:dispute_id>/lift-collection", views.CollectionLiftView.as_view()),
    path("disputes/<int:dispute_id>/fixes", views.FixesView.as_view()),
    path("disputes/<int:dispute_id>/letter", views.LetterView.as_view()),
    path("dispute-policies", views.PolicyList.as_view()),
    path("dispute-drills", views.DrillList.as_view()),
]
