"""A player that plays nothing: everything comes out as the set expects it, or as a test has it changed."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from invoicing.replay import engine, program_code
from invoicing.replay.engine import Played
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import Content

Change = Callable[[dict[str, Any]], None]


def result_of(content: Content) -> dict[str, Any]:
    """What a run gives that finds what is expected."""
    return {"steps": [_step(step) for step in content["steps"]]}


def _step(step: dict[str, Any]) -> dict[str, Any]:
    events = [
        (delivery, place, event["becomes"])
        for delivery, sent in enumerate(step["deliveries"])
        for place, event in enumerate(sent["events"])
    ]
    became = [one for _, _, one in events]
    return {
        "accepted": became.count("accepted"),
        "duplicates": became.count("duplicate"),
        "quarantined": became.count("quarantined"),
        "others": [
            {"delivery": delivery, "place": place, "becomes": one, "reasons": []}
            for delivery, place, one in events
            if one != "accepted"
        ],
        "documents": copy.deepcopy(step["expected"]),
        "failed": [],
    }


class Player:
    """Gives the expected result, after `change` had a hand in it."""

    def __init__(self, change: Change) -> None:
        self.change = change

    def play(self, content: Content, *, seed: int | None = None, told: Callable[[], None] = lambda: None) -> Played:
        result = result_of(content)
        self.change(result)
        for _ in content["steps"]:
            told()
        text = contents.canonical_text(result)
        return Played(
            result=result, result_hash=contents.hash_of(text), code_version=program_code.read_state().code_version
        )


def leave(_result: dict[str, Any]) -> None:
    """Nothing changed."""


def play_nothing(monkeypatch: pytest.MonkeyPatch, change: Change = leave) -> None:
    """From now on runs of this test cost nothing."""

    @contextmanager
    def player() -> Iterator[Player]:
        yield Player(change)

    monkeypatch.setattr(engine, "player", player)
