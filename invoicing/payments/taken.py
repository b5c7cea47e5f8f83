"""A step of a payment as it is asked for."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.told import Told
from invoicing.payments.rules.lifecycle import Step

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What happened, how much it is about, what was kept for it, when, by whom, and why.

    `by` is a person, or the event of a gateway. `fee` is below 0 where it was given back.
    """

    step: Step
    amount: Decimal = NOTHING
    fee: Decimal = NOTHING
    happened_at: datetime
    by: Any
    reason: Told | str = ""
