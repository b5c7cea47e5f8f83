"""Price versions as rating reads them: once each, with the figures of the fee program that they follow."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from invoicing.pricing.models import PriceVersion
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.fee_terms import FeeTerms
from invoicing.pricing.rules.params import Params
from invoicing.rating import fee_prices, rules
from invoicing.rating.rules.fee_usage import PricedProgram
from invoicing.rating.rules.usage import Breakdown

PriceKey = tuple[int, int | None]  # a price version, and the version of the fee program that it follows


@dataclass(frozen=True, slots=True)
class Price:
    """A price version with the figures it follows, read once for all the segments that use both."""

    model: str
    params: Params | PricedProgram
    effective_at: datetime
    currency: str
    breakdown: Breakdown | None


def find_prices(keys: Iterable[PriceKey]) -> dict[PriceKey, Price]:
    """Prices with the figures they follow, where they follow any."""
    wanted = set(keys)
    prices = read_prices({pk for pk, _ in wanted})
    figures = fee_prices.read_terms(fee_version_id for _, fee_version_id in wanted)
    return {key: prices[key[0]] if key[1] is None else _with_figures(prices[key[0]], figures[key[1]]) for key in wanted}


def _with_figures(price: Price, terms: FeeTerms) -> Price:
    assert isinstance(price.params, FeeProgramParams)  # noqa: S101  only such a price has a version of a program
    return replace(price, params=PricedProgram(price.params, terms, price.currency))


def read_prices(version_ids: Iterable[int]) -> dict[int, Price]:
    versions = PriceVersion.objects.filter(pk__in=version_ids).select_related("charge__plan")
    return {version.pk: _price(version) for version in versions}


def _price(version: PriceVersion) -> Price:
    params = price_params.parse_stored_params(model=version.model, params=version.params)
    return Price(
        model=version.model,
        params=params,
        effective_at=version.effective_at,
        currency=version.charge.plan.currency,
        breakdown=rules.breakdown_of(model=version.model, params=params),
    )
