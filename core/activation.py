"""Asks before a thing counts: rooms above register guards for a kind of thing, the rooms below ask them.

The room that puts a version in force, begins a policy or issues an invoice does not know who looks on. It asks here,
inside the transaction that decides, after it has locked the thing and before it changes it. A guard reads and answers;
it changes nothing.

    # in the `ready` of a room above
    activation.register_guard(of=PriceVersion, guard=replayed.refuse_price)

    def refuse_price(price: PriceVersion, *, at: datetime) -> Sequence[Refusal]: ...
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db import connection, transaction
from django.db.models import Model

from core.errors import DomainError

Thing = TypeVar("Thing", bound=Model)
Thing_contra = TypeVar("Thing_contra", bound=Model, contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something may not count yet, and how to change that."""

    code: str  # stable, for programs: `replay_failed`
    sentence: str  # what stands in the way, with its name and figures
    remedy: str  # what the reader does about it, as a sentence
    link: str = ""  # the path of the page where it is done or shown; empty where there is none


class Guard(Protocol[Thing_contra]):
    """Answers with nothing where it has no objection. It is asked with the thing locked and not yet changed."""

    def __call__(self, thing: Thing_contra, /, *, at: datetime) -> Sequence[Refusal]: ...


class NotYetError(DomainError):
    """Guards refuse; `refusals` are all of them, each with what to do."""

    code = "activation_refused"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(" ".join(f"{one.sentence} {one.remedy}" for one in refusals))
        self.refusals = tuple(refusals)

    def problems(self) -> list[dict[str, str]]:
        """Each refusal, about the thing as a whole; `link` is the page where it is mended."""
        return [
            {"pointer": "/", "code": one.code, "detail": f"{one.sentence} {one.remedy}", "link": one.link}
            for one in self.refusals
        ]


_guards: dict[type[Model], list[Guard[Any]]] = {}


def register_guard(*, of: type[Thing], guard: Guard[Thing]) -> None:
    """Let the guard be asked about every thing of this model from now on; done once, when the application starts."""
    known = _guards.setdefault(of, [])
    if guard in known:
        raise ValueError(f"{guard!r} guards {of.__name__} already")
    known.append(guard)


def find_refusals(thing: Model, *, at: datetime) -> list[Refusal]:
    """Everything that stands in the way now, for pages to show beforehand; in the order in which guards came."""
    return [refusal for guard in _guards.get(type(thing), ()) for refusal in guard(thing, at=at)]


def require_unopposed(thing: Model, *, at: datetime) -> None:
    """NotYetError where any guard refuses; asked inside the transaction that lets the thing count."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("guards are asked inside the transaction that decides")
    if refusals := find_refusals(thing, at=at):
        raise NotYetError(refusals)
