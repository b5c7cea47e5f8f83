"""Paths under /api/v1/."""

from django.urls import path

from compliance.launch.api import decisions, samples, views

urlpatterns = [
    path("launch", views.LaunchView.as_view()),
    path("launch/go-lives", decisions.GoLiveListView.as_view()),
    path("launch/exceptions", decisions.ExceptionListView.as_view()),
    path("launch/exceptions/<int:exception_id>/sign", decisions.SignExceptionView.as_view()),
    path("launch/samples", samples.SampleListView.as_view()),
    path("launch/samples/<int:sample_id>", samples.SampleView.as_view()),
    path("launch/samples/<int:sample_id>/accept", samples.AcceptSampleView.as_view()),
    path("launch/checklists", views.ChecklistListView.as_view()),
    path("launch/checklists/<int:version>/approve", views.ApproveChecklistView.as_view()),
]
