"""Puts together what prices a charge by a fee program: what it reads of events, and the figures in force."""

from collections.abc import Iterable, Sequence

from invoicing.pricing import fee_programs
from invoicing.pricing.models import FeeProgramVersion, PriceVersion
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.fee_terms import FeeTerms
from invoicing.pricing.segments import PriceSegment
from invoicing.rating.rules.fee_usage import PricedProgram


def read_terms(fee_version_ids: Iterable[int | None]) -> dict[int, FeeTerms]:
    """The terms of each version, read once for all the segments under it."""
    wanted = {pk for pk in fee_version_ids if pk is not None}
    if not wanted:
        return {}
    versions = FeeProgramVersion.objects.filter(pk__in=wanted)
    return {version.pk: fee_programs.read_terms(version) for version in versions}


def programs_of(segments: Sequence[PriceSegment]) -> list[PricedProgram]:
    """The program of each of these segments, all of which follow one."""
    prices = PriceVersion.objects.select_related("charge__plan").in_bulk({one.price_version_id for one in segments})
    reads = {pk: _reads(price) for pk, price in prices.items()}
    terms = read_terms(one.fee_version_id for one in segments)
    return [
        PricedProgram(
            reads[one.price_version_id],
            terms[one.fee_version_id or 0],
            prices[one.price_version_id].charge.plan.currency,
        )
        for one in segments
    ]


def _reads(price: PriceVersion) -> FeeProgramParams:
    parsed = price_params.parse_stored_params(model=price.model, params=price.params)
    assert isinstance(parsed, FeeProgramParams)  # noqa: S101  the caller's segments follow a program
    return parsed
