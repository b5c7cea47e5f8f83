"""What the pages of runs and moves show: figures as finance reads them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from invoicing.effects import queries
from invoicing.effects.models import Effect, EffectRun

ROWS_MAX = 200
REFRESH_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One subscription with its figures."""

    effect: Effect
    old: str
    new: str
    change: str


def run_context(run: EffectRun) -> dict[str, Any]:
    """The table of a run: the greatest changes first, and the sums of all."""
    currency = run.plan.currency
    summary = queries.summary_of(run)
    rows = [_row(effect, currency) for effect in queries.effects_of(run)[:ROWS_MAX]]
    return {
        "run": run,
        "summary": summary,
        "currency": currency,
        "rows": rows,
        "hidden": max(summary.done - ROWS_MAX, 0),
        "old_total": grouped(summary.old_amount, currency),
        "new_total": grouped(summary.new_amount, currency),
        "change_total": signed(summary.new_amount - summary.old_amount, currency),
    }


def grouped(amount: Decimal, currency: str) -> str:
    return f"{money.round_amount(amount, currency=currency):,f}"


def signed(amount: Decimal, currency: str) -> str:
    return f"{money.round_amount(amount, currency=currency):+,f}" if amount else "0"


def _row(effect: Effect, currency: str) -> Row:
    if effect.old_amount is None or effect.new_amount is None:
        return Row(effect, "", "", "")
    change = effect.new_amount - effect.old_amount
    old, new = grouped(effect.old_amount, currency), grouped(effect.new_amount, currency)
    return Row(effect, old, new, signed(change, currency))
