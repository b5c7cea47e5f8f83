"""A charge by a fee program tried on events: the program's figures of now, of a named version, or given with it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import money
from core.errors import NotFoundError
from invoicing.pricing import fee_programs
from invoicing.pricing.models import FeeProgramVersion
from invoicing.pricing.rules import fee_params, fee_terms, fields
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.fee_terms import FeeTerms
from invoicing.rating import rules
from invoicing.rating.rules import preview, preview_inputs
from invoicing.rating.rules.fee_usage import PricedProgram
from invoicing.rating.rules.preview import Preview, Rounding
from invoicing.rating.rules.preview_inputs import EventUnitsError, PreviewError
from invoicing.rating.rules.usage import Part, Usage

MODEL = fee_params.MODEL
TRIED = "as given"  # what a program is called that has no name yet
FIGURES = ("version", "terms")


def preview_program(
    *, params: Any, currency: str, events: Any, rounding_rule: Rounding | None, at: datetime
) -> Preview:
    """What the program charges for these events, one transaction each; nothing is stored.

    `params` are those of a price by the program, with `version` for other figures than those in force at `at`, or with
    the `terms` themselves.
    """
    if events is None:
        raise PreviewError("A fee program charges for transactions: give events.", pointer="/events")
    given = dict(params) if isinstance(params, dict) else params
    version, terms = (given.pop(name, None) for name in FIGURES) if isinstance(given, dict) else (None, None)
    if terms is not None:
        given.setdefault("program", TRIED)
    reads = price_params.parse_params(model=MODEL, params=given)
    assert isinstance(reads, FeeProgramParams)  # noqa: S101  what this model reads
    figures = _stored(reads.program, version, at=at) if terms is None else _given(terms)
    usage = _read_usage(events, reads=reads)
    computation = rules.compute(model=MODEL, params=PricedProgram(reads, figures, currency), usage=usage)
    return Preview(preview.round_amount(computation.amount_exact, rounding_rule), computation)


def _given(terms: Any) -> FeeTerms:
    return fee_terms.parse_terms(terms, pointer="/params/terms")


def _stored(program: str, version: Any, *, at: datetime) -> FeeTerms:
    if version is not None:
        if isinstance(version, bool) or not isinstance(version, int):
            raise PreviewError("Needs the number of a version.", pointer="/params/version")
        return fee_programs.read_terms(fee_programs.find_version(program_code=program, version=version))
    stretches = fee_programs.versions_in_time([program]).get(program, ())
    in_force = [stretch.key for stretch in stretches if stretch.holds_at(at)]
    if not in_force:
        detail = f"No figures of a fee program {program} are in force. Name the `version` to try, or give `terms`."
        raise NotFoundError(detail, pointer="/params/program")
    return fee_programs.read_terms(FeeProgramVersion.objects.get(pk=in_force[0]))


def _read_usage(events: Any, *, reads: FeeProgramParams) -> Usage:
    entries = preview_inputs.read_objects(events, "events")
    parts = tuple(_read_part(entry, reads=reads, index=index) for index, entry in enumerate(entries))
    return Usage(Decimal(len(parts)), parts)


def _read_part(event: Mapping[str, Any], *, reads: FeeProgramParams, index: int) -> Part:
    carried = []
    for name in reads.properties:
        value = event.get(name)
        if value is None:
            continue
        text = _as_text(value)
        if text is None:
            pointer = f"/events/{index}/{fields.escape(name)}"
            raise EventUnitsError("Needs a text, a number, true or false.", pointer=pointer)
        carried.append((name, text))
    return Part(Decimal(1), properties=tuple(carried))


def _as_text(value: Any) -> str | None:
    """What the property of a stored event reads as."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | Decimal():
            return money.plain(Decimal(value))
    return None
