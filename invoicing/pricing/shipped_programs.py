"""Fee programs as they come with the product: figures with their source and date, proposed for somebody to approve."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from invoicing.pricing import fee_programs, proposals
from invoicing.pricing.fee_programs import Source
from invoicing.pricing.models import FeeProgram
from invoicing.pricing.rules import fee_terms

SHIPPED = Path(__file__).parent / "data" / "fee_programs.json"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many programs were new, how many versions are proposed, and how many figures were known already."""

    programs: int
    proposed: int
    known: int


@transaction.atomic
def load_programs(*, path: Path = SHIPPED, actor: Any, at: datetime) -> Loaded:
    """Make the programs of the file that are not there, and propose its figures where no version says the same."""
    proposals.check_author(actor)
    programs = proposed = known = 0
    for entry in json.loads(path.read_text(encoding="utf-8"))["programs"]:
        program = FeeProgram.objects.filter(code=entry["code"]).first()
        if program is None:
            program = _create(entry, actor=actor, at=at)
            programs += 1
        terms = fee_terms.write_terms(fee_terms.parse_terms(entry["terms"]))
        if program.versions.filter(terms=terms).exists():
            known += 1
            continue
        _propose(program, entry, actor=actor, at=at)
        proposed += 1
    return Loaded(programs, proposed, known)


def _create(entry: dict[str, Any], *, actor: Any, at: datetime) -> FeeProgram:
    words = {name: entry[name] for name in ("code", "name", "description", "takes_effect")}
    return fee_programs.create_program(**words, actor=actor, at=at)


def _propose(program: FeeProgram, entry: dict[str, Any], *, actor: Any, at: datetime) -> None:
    fee_programs.propose_version(
        program=program,
        terms=entry["terms"],
        source=Source(
            text=entry["source"],
            read_on=date.fromisoformat(entry["source_date"]),
            kind=entry["source_kind"],
            note=entry["note"],
        ),
        effective_at=datetime.fromisoformat(entry["effective_at"]),
        actor=actor,
        at=at,
    )
