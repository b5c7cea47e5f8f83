"""What a trigger policy says, read strictly; where it is silent, the normal cycle applies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core import canonical, money
from core.errors import InvalidInputError
from invoicing.pricing.rules.fields import Fields, Problem

GRACE_HOURS_MAX = Decimal(24 * 31)
CORRECTIONS = ("next_invoice",)


class TermsError(InvalidInputError):
    """The terms cannot be used; `problems()` names every field at fault."""

    code = "policy_terms_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{problems[0].pointer}: {problems[0].detail}", pointer=problems[0].pointer)
        self._problems = problems

    def problems(self) -> list[dict[str, str]]:
        return [{"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in self._problems]


@dataclass(frozen=True, slots=True, kw_only=True)
class LateUsage:
    """How long after its end a period waits for usage that is on its way, and how later usage is billed."""

    correction: str
    grace_hours: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything a policy decides."""

    late_usage: LateUsage


SILENT = Terms(late_usage=LateUsage(correction="next_invoice", grace_hours=Decimal(0)))


def parse_terms(document: Any, *, pointer: str = "/terms") -> Terms:
    """Read the JSON of a policy; TermsError names every problem."""
    problems: list[Problem] = []
    fields = Fields(document, pointer=pointer, problems=problems)
    late = fields.take("late_usage")
    late_usage = SILENT.late_usage if late is None else _read_late_usage(late, pointer=pointer, problems=problems)
    fields.refuse_unknown()
    if problems:
        raise TermsError(problems)
    return Terms(late_usage=late_usage)


def write_terms(terms: Terms) -> dict[str, Any]:
    """The canonical JSON of the terms, every decision written down."""
    late = terms.late_usage
    return {"late_usage": {"correction": late.correction, "grace_hours": money.plain(late.grace_hours)}}


def hash_of(*, program: str, version: int, effective_at: datetime, terms: Mapping[str, Any]) -> str:
    """What people sign: SHA-256 over the scope, the version, the instant and every word of the terms."""
    content = {"program": program, "version": version, "effective_at": effective_at, "terms": dict(terms)}
    return canonical.content_hash(content)


def grace_of(document: Mapping[str, Any]) -> timedelta:
    """How long a period waits after its end before it is drafted, by stored terms."""
    hours = parse_terms(document).late_usage.grace_hours
    return timedelta(microseconds=int(hours * 3_600_000_000))


def _read_late_usage(document: Any, *, pointer: str, problems: list[Problem]) -> LateUsage:
    fields = Fields(document, pointer=f"{pointer}/late_usage", problems=problems)
    grace = fields.quantity("grace_hours", default=Decimal(0))
    if grace > GRACE_HOURS_MAX:
        fields.report("grace_hours", "out_of_range", f"At most {GRACE_HOURS_MAX} hours, a month.")
    late = LateUsage(correction=fields.choice("correction", options=CORRECTIONS), grace_hours=grace)
    fields.refuse_unknown()
    return late
