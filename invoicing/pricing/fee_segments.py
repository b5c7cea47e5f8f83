"""Cuts the charges that follow a fee program where a version of the program begins, or keeps a period whole."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from core.periods import Period
from invoicing.pricing import fee_programs
from invoicing.pricing.models import FeeProgram, PriceVersion
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.fee_params import MODEL
from invoicing.pricing.rules.timeline import Stretch


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a charge's period under one plan version, one price version and, for some, one fee table."""

    plan_version_id: int
    price_version_id: int
    part: Period
    fee_version_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Program:
    """The versions of a program in time, and whether it changes only with a billing period."""

    versions: tuple[Stretch, ...]
    changes_with_period: bool


class ProgramBook:
    """The fee programs that some prices follow, read once; nothing is asked where none does."""

    def __init__(self, prices: Iterable[PriceVersion]) -> None:
        following = [price.pk for price in prices if price.model == MODEL]
        named = PriceVersion.objects.filter(pk__in=following).values_list("pk", "params__program")
        self._code_of = dict(named) if following else {}
        codes = set(self._code_of.values())
        versions = fee_programs.versions_in_time(codes) if codes else {}
        rules = FeeProgram.objects.filter(code__in=codes).values_list("code", "takes_effect") if codes else ()
        self._programs = {
            code: _Program(tuple(versions.get(code, ())), takes_effect == FeeProgram.TakesEffect.NEXT_PERIOD)
            for code, takes_effect in rules
        }

    def cut(self, cuts: Sequence[Cut], *, measured: Iterable[datetime] = ()) -> Iterator[Cut]:
        """The parts of one charge in one plan's part of a period, in the order of time, each under one version.

        Where a program changes with the period, what was agreed when that part began holds for all of it, so that an
        account is counted once; only where what its meter measures changes (`measured`) a window has to end. Where no
        version of the program is in force, nothing is priced.
        """
        for code, own in groupby(cuts, key=lambda each: self._code_of.get(each.price_version_id)):
            if code is None:
                yield from own
            elif self._programs[code].changes_with_period:
                yield from _keep_whole(list(own), versions=self._programs[code].versions, measured=measured)
            else:
                yield from (
                    Cut(each.plan_version_id, each.price_version_id, part, version_id)
                    for each in own
                    for version_id, part in timeline.cut(each.part, self._programs[code].versions)
                )


def _keep_whole(own: Sequence[Cut], *, versions: Sequence[Stretch], measured: Iterable[datetime]) -> Iterator[Cut]:
    first, last = own[0], own[-1]
    span = Period(first.part.start, last.part.end)
    for version in versions:
        if version.start <= span.start and (version.end is None or span.start < version.end):
            for stretch in timeline.split([Stretch(version.key, span.start, span.end)], at=tuple(measured)):
                part = Period(stretch.start, stretch.end or span.end)
                yield Cut(first.plan_version_id, first.price_version_id, part, version.key)
