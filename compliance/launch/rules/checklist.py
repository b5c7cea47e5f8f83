"""How old the proof of each box may be and which role answers for it, read strictly from a version's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from compliance.launch.rules.boxes import Box
from core.errors import InvalidInputError

ROLES = ("product", "finance", "ops", "engineering")
HOURS_MAX = 24 * 366


class ChecklistError(InvalidInputError):
    """A checklist that cannot be used; the pointer names the first field at fault."""

    code = "checklist_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One box: for how many hours its proof counts, and the role that answers for it."""

    max_age_hours: int
    owner: str

    @property
    def max_age(self) -> timedelta:
        return timedelta(hours=self.max_age_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The rule of every box."""

    rules: Mapping[Box, Rule]

    def ages_at(self, box: Box, *, proved_at: datetime) -> datetime:
        """From when on a proof of that instant is too old."""
        return proved_at + self.rules[box].max_age


DAY, WEEK, MONTH, QUARTER = 24, 7 * 24, 31 * 24, 92 * 24
USUAL = Checklist(
    rules={
        Box.POLICY_SIGNED: Rule(max_age_hours=WEEK, owner="product"),
        Box.CONTRACTS_PROVED: Rule(max_age_hours=WEEK, owner="engineering"),
        Box.REPLAY_STABLE: Rule(max_age_hours=WEEK, owner="engineering"),
        Box.SAMPLES_ACCEPTED: Rule(max_age_hours=QUARTER, owner="product"),
        Box.LAST_CLOSE_TRACED: Rule(max_age_hours=WEEK, owner="finance"),
        Box.BOOKS_TIE: Rule(max_age_hours=WEEK, owner="finance"),
        Box.GATES_RECHECKED: Rule(max_age_hours=WEEK, owner="ops"),
        Box.INVARIANTS_CLEAN: Rule(max_age_hours=DAY, owner="engineering"),
        Box.BACKUP_RESTORED: Rule(max_age_hours=MONTH, owner="ops"),
    }
)


def read_checklist(document: Any) -> Checklist:
    """Read the JSON of a version; a box that it does not name has its usual rule. ChecklistError names a flaw."""
    if not isinstance(document, dict):
        raise ChecklistError("An object from boxes to their rules is needed.", pointer="/terms")
    unknown = sorted(set(document) - {str(box) for box in Box})
    if unknown:
        detail = f"There is no box {unknown[0][:60]}; the boxes are {', '.join(Box)}."
        raise ChecklistError(detail, pointer=f"/terms/{unknown[0][:60]}")
    return Checklist(rules={box: _read_rule(box, document.get(box)) for box in Box})


def write_checklist(checklist: Checklist) -> dict[str, dict[str, Any]]:
    """The canonical JSON, every box written down."""
    return {
        str(box): {"max_age_hours": checklist.rules[box].max_age_hours, "owner": checklist.rules[box].owner}
        for box in Box
    }


def _read_rule(box: Box, given: Any) -> Rule:
    if given is None:
        return USUAL.rules[box]
    pointer = f"/terms/{box}"
    if not isinstance(given, dict) or set(given) != {"max_age_hours", "owner"}:
        raise ChecklistError("Each box has max_age_hours and owner, and nothing else.", pointer=pointer)
    hours, owner = given["max_age_hours"], given["owner"]
    if not isinstance(hours, int) or isinstance(hours, bool) or not 1 <= hours <= HOURS_MAX:
        detail = f"A whole number of hours from 1 to {HOURS_MAX} is needed."
        raise ChecklistError(detail, pointer=f"{pointer}/max_age_hours")
    if owner not in ROLES:
        raise ChecklistError(f"The owner is one of: {', '.join(ROLES)}.", pointer=f"{pointer}/owner")
    return Rule(max_age_hours=hours, owner=owner)
