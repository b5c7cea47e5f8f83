"""One door for everything that can be tried out: the models of prices, and the arithmetic around them."""

from typing import Any

from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.fields import Problem
from invoicing.rating.rules import calculations, preview
from invoicing.rating.rules.catalogue import TOTALS
from invoicing.rating.rules.preview import Preview, Rounding

MODELS = (*price_params.READERS, *(name for name in calculations.CALCULATIONS if name not in price_params.READERS))


def try_price(
    *,
    model: str,
    params: Any,
    currency: str,
    units: Any = None,
    events: Any = None,
    steps: Any = None,
    rounding_rule: Rounding | None,
) -> Preview:
    """The amount as asked for; nothing is stored. A `commitment` over a `base` is that base with limits."""
    if model == "commitment" and isinstance(params, dict) and "base" in params:
        model, params = _committed_base(params)
    elif model in calculations.CALCULATIONS:
        return calculations.calculate(
            model=model,
            params=params,
            currency=currency,
            units=units,
            events=events,
            steps=steps,
            rounding_rule=rounding_rule,
        )
    return preview.preview_price(
        model=model,
        params=params,
        currency=currency,
        units=units,
        events=events,
        steps=steps,
        rounding_rule=rounding_rule,
    )


def _committed_base(params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The base model, in buckets where the commitment is one of each time window (Flexprice)."""
    given = dict(params)
    base = given.pop("base")
    if not isinstance(base, str) or base not in TOTALS:
        raise price_params.ParamsError([Problem("/params/base", "choice", f"Must be one of: {', '.join(TOTALS)}.")])
    if "per_window_commitment" in given:
        committed = given.pop("per_window_commitment")
        return "bucketed", {**given, "inner": base, "committed_amount": committed}
    return base, given
