"""A fee program applied to metered usage: each combination of what it reads is so many transactions alike."""

from dataclasses import dataclass
from decimal import Decimal

from core import money
from core.errors import InvalidInputError
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.fee_terms import FeeTableMissingError, FeeTerms
from invoicing.rating.rules import fees
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.steps import Step
from invoicing.rating.rules.usage import Breakdown, Part, Usage


class AmountUnreadableError(InvalidInputError):
    """An event has no amount that the program can read."""

    code = "fee_amount_unreadable"


@dataclass(frozen=True, slots=True)
class PricedProgram:
    """What a charge reads, with the figures of the version in force and the currency of the invoice."""

    reads: FeeProgramParams
    terms: FeeTerms
    currency: str

    @property
    def properties(self) -> tuple[str, ...]:
        return self.reads.properties


def breakdown(params: FeeProgramParams | PricedProgram) -> Breakdown:
    """One part for each combination of the properties, the amount among them: alike transactions come together."""
    return Breakdown("properties", properties=params.properties)


def price_program(*, params: PricedProgram, usage: Usage) -> tuple[Step, ...]:
    """The steps of the program's fee for this usage."""
    transactions = [read_transaction(part, reads=params.reads) for part in usage.parts]
    try:
        return fees.price_transactions(terms=params.terms, currency=params.currency, transactions=transactions)
    except FeeTableMissingError as error:
        raise FeeTableMissingError(f"Fee program {params.reads.program}: {error.message}") from error


def read_transaction(part: Part, *, reads: FeeProgramParams) -> Transaction:
    """So many transactions alike; AmountUnreadableError where the amount is no plain decimal."""
    carried = dict(part.properties)
    return Transaction(
        amount=_amount(carried.get(reads.amount), reads=reads) if reads.amount else Decimal(0),
        account=carried.get(reads.account, "") if reads.account else "",
        country=carried.get(reads.country, "") or reads.home_country,
        status=carried.get(reads.status, "") if reads.status else "",
        flags=frozenset(one.surcharge for one in reads.flags if carried.get(one.property) == one.equals),
        count=part.events,
    )


def _amount(text: str | None, *, reads: FeeProgramParams) -> Decimal:
    try:
        return money.parse_decimal(text)
    except ValueError as error:
        detail = f"Program {reads.program} reads the amount from {reads.amount}, and an event there says {text!r:.40}."
        raise AmountUnreadableError(f"{detail} Correct the event, or have the contract require a number.") from error
