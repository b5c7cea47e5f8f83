"""Prices around another price: of each time bucket, of each combination of properties."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from invoicing.pricing.rules.params import BucketedParams, DimensionalParams
from invoicing.pricing.rules.params_units import Match
from invoicing.rating.rules import per_unit
from invoicing.rating.rules.steps import Step, merge
from invoicing.rating.rules.usage import Breakdown, Part, Usage

PriceInner = Callable[[str, Any, Usage], tuple[Step, ...]]


def price_buckets(*, params: BucketedParams, parts: Sequence[Part], price: PriceInner) -> tuple[Step, ...]:
    """Each bucket as if it were all the usage there is; steps that say the same are put together."""
    buckets: dict[str, Decimal] = {}
    for part in parts:
        bucket = str(part.bucket)
        buckets[bucket] = buckets.get(bucket, Decimal(0)) + part.quantity
    ordered = (buckets[bucket] for bucket in sorted(buckets))
    return merge(step for quantity in ordered for step in price(params.inner, params.params, Usage(quantity)))


def price_dimensions(*, params: DimensionalParams, parts: Sequence[Part], price: PriceInner) -> tuple[Step, ...]:
    """All that matches an entry at that entry's price, the rest at the default; entries without usage cost nothing."""
    entries = {entry.match: entry.params for entry in params.prices}
    closest = per_unit.index_matches(list(entries))
    groups: dict[Match | None, list[Part]] = {}
    for part in parts:
        groups.setdefault(closest(part), []).append(part)
    steps: list[Step] = []
    for match in [match for match in (*entries, None) if match in groups] or [None]:
        found = groups.get(match, [])
        inner = params.default if match is None else entries[match]
        usage = Usage(sum((part.quantity for part in found), Decimal(0)), tuple(found))
        name = "Other" if match is None else per_unit.in_words(match)
        steps += [step._replace(label=f"{name}: {step.label}") for step in price(params.inner, inner, usage)]
    return tuple(steps)


def buckets_needed(params: BucketedParams) -> Breakdown:
    return Breakdown("buckets", width=params.bucket, zone=params.bucket_zone)


def dimensions_needed(params: DimensionalParams) -> Breakdown:
    return per_unit.by_properties([entry.match for entry in params.prices])
