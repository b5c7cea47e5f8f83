"""Paths under /api/v1/."""

from django.urls import path

from compliance.launch.api import samples, views

urlpatterns = [
    path("launch", views.LaunchView.as_view()),
    path("launch/samples", samples.SampleListView.as_view()),
    path("launch/samples/<int:sample_id>", samples.SampleView.as_view()),
    path("launch/samples/<int:sample_id>/accept", samples.AcceptSampleView.as_view()),
    path("launch/checklists", views.ChecklistListView.as_view()),
    path("launch/checklists/<int:version>/approve", views.ApproveChecklistView.as_view()),
]
