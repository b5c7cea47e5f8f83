"""Addresses below `/api/v1/`."""

from django.urls import path

from invoicing.policy.api import views

urlpatterns = [
    path("trigger-policies", views.PolicyListView.as_view()),
    path("trigger-policies/<int:policy_id>", views.PolicyView.as_view()),
    path("trigger-policies/<int:policy_id>/sign", views.SignView.as_view()),
    path("trigger-policies/<int:policy_id>/withdraw", views.WithdrawView.as_view()),
]
