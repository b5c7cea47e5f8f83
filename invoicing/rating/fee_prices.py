"""Reads the figures of fee programs for the prices that follow them."""

from collections.abc import Iterable

from invoicing.pricing import fee_programs
from invoicing.pricing.models import FeeProgramVersion
from invoicing.pricing.rules.fee_terms import FeeTerms


def read_terms(fee_version_ids: Iterable[int | None]) -> dict[int, FeeTerms]:
    """The terms of each version, read once for all the segments under it."""
    wanted = {pk for pk in fee_version_ids if pk is not None}
    if not wanted:
        return {}
    versions = FeeProgramVersion.objects.filter(pk__in=wanted)
    return {version.pk: fee_programs.read_terms(version) for version in versions}
