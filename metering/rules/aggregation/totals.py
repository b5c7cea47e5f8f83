"""Quantities of numbers, whatever the time between them: sum, highest, lowest, average and last value."""

from collections.abc import Sequence
from decimal import Decimal

from metering.rules.aggregation.observing import ZERO, Observation, Ratio
from metering.rules.readings import Reading


def total(measured: Sequence[Observation]) -> Ratio:
    return Ratio(sum((each.number for each in measured), ZERO))


def average(measured: Sequence[Observation]) -> Ratio:
    return Ratio(total(measured).numerator, Decimal(len(measured)))


def highest(measured: Sequence[Observation]) -> Ratio:
    return Ratio(max(each.number for each in measured))


def lowest(measured: Sequence[Observation]) -> Ratio:
    return Ratio(min(each.number for each in measured))


def last(measured: Sequence[Observation], reading: Reading) -> Ratio:
    return Ratio(max(measured, key=lambda each: each.order_by(reading.tie_break)).number)
