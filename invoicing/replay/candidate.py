"""Puts a version that is proposed, or was approved since, in the place of the one that a set has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from core.errors import InvalidInputError, NotFoundError
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing.models import Charge, FeeProgramVersion, PriceVersion
from invoicing.replay import rows
from invoicing.replay.models import ReplaySetVersion
from invoicing.replay.rules.content import Content
from metering.models import EventContractVersion

Row = dict[str, Any]


class NotInSetError(InvalidInputError):
    """The set has nothing in whose place the version could come."""

    code = "not_in_set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of which rows a version of this kind takes the place: those of its table with the same owner."""

    model: type[PriceVersion] | type[FeeProgramVersion] | type[EventContractVersion] | type[TriggerPolicy]
    owner: str  # the column
    held_as: str  # its name in what a set says that it holds


PLACES = {
    "price_version": Place(model=PriceVersion, owner="charge_id", held_as="charges"),
    "fee_program_version": Place(model=FeeProgramVersion, owner="program_id", held_as="fee_programs"),
    "contract_version": Place(model=EventContractVersion, owner="contract_id", held_as="contracts"),
    "policy": Place(model=TriggerPolicy, owner="program", held_as="programs"),
}


def find_version(*, kind: str, number: int) -> Model:
    """The version by kind and id; NotFoundError where there is none."""
    place = PLACES.get(kind)
    if place is None:
        raise InvalidInputError(f"A replay takes one of {', '.join(PLACES)}.", pointer="/candidate/kind")
    found = place.model.objects.filter(pk=number).first()
    if found is None:
        raise NotFoundError(f"There is no {kind.replace('_', ' ')} {number}.", pointer="/candidate/id")
    return found


def kind_of(version: Model) -> str:
    return next(kind for kind, place in PLACES.items() if place.model is type(version))


def is_held(version: Model, *, by: ReplaySetVersion) -> bool:
    """Whether the set has the charge, fee program, contract or program whose version this is."""
    place = PLACES[kind_of(version)]
    return getattr(version, place.owner) in by.holds.get(place.held_as, [])


def held_ids(content: Content) -> dict[str, list[Any]]:
    """What a set holds, so that it need not be opened to know."""
    own = {
        name: sorted({row["id"] for step in content["steps"] for row in step["rows"].get(table, [])})
        for name, table in (
            ("charges", Charge._meta.db_table),
            ("fee_programs", "pricing_feeprogram"),
            ("contracts", "metering_eventcontract"),
        )
    }
    return {**own, "programs": [content["program"]], "customers": list(content["customers"])}


def put_in_place(content: Content, version: Model) -> Content:
    """The same set with this version, as if it had been in force all along instead of those of its owner.

    NotInSetError where the set has none of these.
    """
    kind = kind_of(version)
    place = PLACES[kind]
    table, owner = place.model._meta.db_table, getattr(version, place.owner)
    before = [row for step in content["steps"] for row in step["rows"].get(table, []) if row[place.owner] == owner]
    if not before:
        raise NotInSetError(f"This set has no {kind.replace('_', ' ')} in whose place {version} could come.")
    (row,) = rows.read_rows(place.model, [version.pk])
    return {**content, "steps": _steps(content["steps"], table, place.owner, _as_in_force(kind, row, before))}


def _steps(steps: Sequence[dict[str, Any]], table: str, owner: str, put: Row) -> list[dict[str, Any]]:
    """It comes in the first step that has any of those it replaces; they do not come at all."""
    changed, is_there = [], False
    for step in steps:
        own = step["rows"].get(table, [])
        kept = [row for row in own if row[owner] != put[owner]]
        if len(kept) < len(own) and not is_there:
            kept, is_there = [*kept, put], True
        changed.append({**step, "rows": {**step["rows"], table: kept}})
    return changed


def _as_in_force(kind: str, row: Row, before: Sequence[Row]) -> Row:
    """As its predecessors were: since the earliest of them, decided when it was."""
    first = min(before, key=lambda one: datetime.fromisoformat(_since(kind, one)))
    if kind == "contract_version":
        decided = {"status": "active", "activated_at": first["activated_at"], "activated_by_id": None}
    elif kind == "policy":
        names = ("status", "effective_at", "decided_at", "proposed_at")
        decided = {name: first[name] for name in names}
        decided["effective_at"] = min(first["effective_at"], first["decided_at"])  # so that it has begun by itself
    else:
        decided = {
            "status": "approved",
            "effective_at": first["effective_at"],
            "created_at": first["created_at"],
            "decided_at": first["created_at"],  # in the form of before two people were asked for
            "decided_by_id": None,
        }
    return {**row, **decided}


def _since(kind: str, row: Row) -> str:
    return str(row["activated_at"] if kind == "contract_version" else row["effective_at"])
