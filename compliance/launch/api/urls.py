"""Paths under /api/v1/."""

from django.urls import path

from compliance.launch.api import views

urlpatterns = [
    path("launch", views.LaunchView.as_view()),
    path("launch/checklists", views.ChecklistListView.as_view()),
    path("launch/checklists/<int:version>/approve", views.ApproveChecklistView.as_view()),
]
