"""Addresses below `/api/v1/`."""

from django.urls import path

from compliance.erasure.api import views

urlpatterns = [
    path("erasure-requests", views.RequestList.as_view()),
    path("erasure-requests/<int:request_id>", views.RequestView.as_view()),
    path("erasure-requests/<int:request_id>/approve", views.ApproveView.as_view()),
    path("erasure-requests/<int:request_id>/refuse", views.RefuseView.as_view()),
    path("retention-rules", views.RuleList.as_view()),
]
