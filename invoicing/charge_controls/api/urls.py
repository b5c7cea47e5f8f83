"""Addresses below `/api/v1/`."""

from django.urls import path

from invoicing.charge_controls.api import access, lists

urlpatterns = [
    path("customers/<str:code>/access", access.AccessView.as_view()),
    path("customers/<str:code>/access/lift", access.LiftView.as_view()),
    path("access-changes", lists.AccessChangeList.as_view()),
    path("charge-control-firings", lists.FiringList.as_view()),
    path("credit-limits", lists.LimitList.as_view()),
    path("credit-reviews", lists.ReviewList.as_view()),
    path("credit-reviews/<int:review_id>/resolve", lists.ResolveView.as_view()),
]
