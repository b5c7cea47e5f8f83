"""Divides an amount among keys, and rounds amounts together, so that the parts add up: the largest remainder."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from core import rounding
from core.errors import InvalidInputError


class AllocationError(InvalidInputError):
    """An amount that cannot be divided as asked."""

    code = "allocation"


def allocate(amount: Decimal, *, weights: Mapping[str, Decimal], scale: int) -> dict[str, Decimal]:
    """The part of every key, in whole units of `scale`, in the order of the keys.

    Everybody gets the whole units of the exact part; those left go to the largest remainders, of equals to the keys
    that come first. An amount below 0 is divided like the same above 0.
    """
    units = int(abs(amount).scaleb(scale))
    if Decimal(units).scaleb(-scale) != abs(amount):
        raise AllocationError(f"Only whole units of {scale} decimals can be divided; round the amount first.")
    whole = _as_integers(weights)
    all_weights = sum(whole.values())
    if all_weights == 0 or min(whole.values()) < 0:
        raise AllocationError("Weights are 0 or more, and at least one is more.")
    parts = {key: divmod(units * weight, all_weights) for key, weight in whole.items()}
    left = units - sum(quotient for quotient, _ in parts.values())
    first = sorted(parts, key=lambda key: (-parts[key][1], key))[:left]
    sign = -1 if amount < 0 else 1
    return {key: Decimal(sign * (parts[key][0] + (key in first))).scaleb(-scale) for key in sorted(parts)}


def round_together(exact: Sequence[Decimal], *, scale: int) -> list[Decimal]:
    """Each amount rounded down or up to `scale` decimals, so that together they are their exact sum, rounded half up.

    Up go those with the largest remainders, of equals those that come first; an amount that needs no rounding stays.
    """
    with rounding.exactly():
        whole = rounding.round_to_scale(sum(exact, Decimal(0)), scale=scale)
        down = [rounding.round_to_scale(amount, scale=scale, mode="floor") for amount in exact]
        left = int((whole - sum(down, Decimal(0))).scaleb(scale))
        remainders = [amount - floor for amount, floor in zip(exact, down, strict=True)]
        up = set(sorted(range(len(exact)), key=lambda place: -remainders[place])[:left])
        unit = Decimal(1).scaleb(-scale)
        return [floor + unit if place in up else floor for place, floor in enumerate(down)]


def _as_integers(weights: Mapping[str, Decimal]) -> dict[str, int]:
    """The same proportions in whole numbers."""
    exponents = (weight.as_tuple().exponent for weight in weights.values())
    decimals = max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    return {key: int(weight.scaleb(max(decimals, 0))) for key, weight in weights.items()}
