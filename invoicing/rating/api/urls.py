"""Paths under /api/v1/."""

from django.urls import path

from invoicing.rating.api import preview, projections

urlpatterns = [
    path("rating/preview", preview.PreviewView.as_view()),
    path("fee-projections", projections.ProjectionView.as_view()),
]
