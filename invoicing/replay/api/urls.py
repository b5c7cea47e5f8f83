"""Paths under /api/v1/."""

from django.urls import path

from invoicing.replay.api import runs, sets

urlpatterns = [
    path("replay/sets", sets.SetListView.as_view()),
    path("replay/sets/<str:name>", sets.SetView.as_view()),
    path("replay/sets/<str:name>/content", sets.ContentView.as_view()),
    path("replay/sets/<str:name>/require", sets.RequireView.as_view()),
    path("replay/sets/<str:name>/runs", runs.AskRunView.as_view()),
    path("replay/runs", runs.RunListView.as_view()),
    path("replay/runs/<int:run_id>", runs.RunView.as_view()),
]
