"""Paths under /api/v1/."""

from django.urls import path

from invoicing.effects.api import moves, runs

urlpatterns = [
    path("effect-runs", runs.RunListView.as_view()),
    path("effect-runs/<int:run_id>", runs.RunView.as_view()),
    path("effect-runs/<int:run_id>/effects", runs.EffectListView.as_view()),
    path("plan-moves", moves.MoveListView.as_view()),
    path("plan-moves/<int:move_id>", moves.MoveView.as_view()),
    path("plan-moves/<int:move_id>/approve", moves.ApproveMoveView.as_view()),
    path("plan-moves/<int:move_id>/withdraw", moves.WithdrawMoveView.as_view()),
]
