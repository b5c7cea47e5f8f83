"""Paths under /api/v1/."""

from django.urls import path

from invoicing.rating.api import preview

urlpatterns = [path("rating/preview", preview.PreviewView.as_view())]
