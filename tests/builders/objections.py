"""A guard that objects to everything of one kind, for as long as a test wants it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import pytest
from django.db.models import Model

from core import activation
from core.activation import Refusal

OBJECTION = Refusal(
    code="replay_failed",
    sentence="The replay of “spring” differs in 3 lines.",
    remedy="Look at its report and run it again.",
    link="/admin/core/job/",
)


@contextmanager
def objecting_to(*models: type[Model]) -> Iterator[list[Model]]:
    """Give what the guard was asked about; whatever other guards there are stay out of it."""
    asked: list[Model] = []

    def object_always(thing: Model, /, *, at: datetime) -> Sequence[Refusal]:
        asked.append(thing)
        return [OBJECTION]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activation, "_guards", {})
        for model in models:
            activation.register_guard(of=model, guard=object_always)
        yield asked
