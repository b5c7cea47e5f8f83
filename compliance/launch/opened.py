"""Which open boxes stand in the way of a program now: those that no exception in force names."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from compliance.launch import exceptions, standing
from compliance.launch.models import LaunchException
from compliance.launch.standing import BoxState
from core.activation import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One box, and the exception that lets it stand open, where there is one."""

    state: BoxState
    exception: LaunchException | None

    @property
    def stands_in_the_way(self) -> bool:
        return not self.state.is_closed and self.exception is None

    def as_json(self) -> dict[str, Any]:
        """As a decision writes it down."""
        return {
            "box": str(self.state.box),
            "state": str(self.state.state),
            "proof_hash": None if self.state.result is None else self.state.result.proof_hash,
            "exception": None if self.exception is None else self.exception.pk,
        }


def judge(program: str, *, at: datetime) -> list[Judged]:
    """Every box that counts for the program; of two exceptions for one box the first is named."""
    excepted: dict[str, LaunchException] = {}
    for one in exceptions.in_force(program, at=at):
        for box in one.boxes:
            excepted.setdefault(box, one)
    return [
        Judged(state=state, exception=None if state.is_closed else excepted.get(str(state.box)))
        for state in standing.of_program(program, at=at)
    ]


def refusal_of(program: str, judged: list[Judged], *, what: str) -> Refusal:
    """Names the boxes that stand in the way of `what`, such as `Going live`."""
    boxes = [one.state.title for one in judged if one.stands_in_the_way]
    are = "box of the launch checklist is" if len(boxes) == 1 else "boxes of the launch checklist are"
    return Refusal(
        code="launch_boxes_open",
        sentence=f"{what} waits, for {len(boxes)} {are} open for {program}: {', '.join(boxes)}.",
        remedy="Close them, or have finance and ops sign an exception with an end.",
        link=reverse("admin:launch_launchcheck_board"),
    )
