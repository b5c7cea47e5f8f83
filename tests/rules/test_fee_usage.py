"""A fee program over metered usage: which property says what, and what cannot be read."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules import words
from invoicing.pricing.rules.fee_params import FeeProgramParams, Flag
from invoicing.pricing.rules.fee_terms import FeeTable, FeeTableMissingError, FeeTerms, Surcharge
from invoicing.rating import rules
from invoicing.rating.rules import fee_usage, preview
from invoicing.rating.rules.catalogue import FiguresMissingError
from invoicing.rating.rules.fee_usage import AmountUnreadableError, PricedProgram
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.usage import Breakdown, Part, Usage

READS = FeeProgramParams(
    program="card",
    amount="total",
    account="merchant",
    country="place",
    status="state",
    home_country="US",
    flags=(Flag("international", "card_kind", "foreign"), Flag("manual", "typed_in")),
)
WRITTEN = {
    "program": "card",
    "amount": "total",
    "account": "merchant",
    "country": "place",
    "status": "state",
    "home_country": "US",
    "flags": [
        {"surcharge": "international", "property": "card_kind", "equals": "foreign"},
        {"surcharge": "manual", "property": "typed_in", "equals": "true"},
    ],
}
CARD = FeeTerms(
    tables=(
        FeeTable(
            currency="USD",
            rate_percent=Decimal("2.9"),
            fixed=Decimal("0.30"),
            surcharges=(Surcharge("international", Decimal("1.5")),),
        ),
    )
)


def part(events: int = 1, **properties: str) -> Part:
    return Part(Decimal(0), events, tuple(properties.items()))


def test_every_property_that_is_read_makes_a_combination() -> None:
    assert fee_usage.breakdown(READS) == Breakdown(
        "properties", properties=("total", "merchant", "place", "state", "card_kind", "typed_in")
    )


def test_properties_say_what_a_transaction_is() -> None:
    seen = part(3, total="100.00", merchant="north", place="CA", state="paid", card_kind="foreign", typed_in="false")
    assert fee_usage.read_transaction(seen, reads=READS) == Transaction(
        amount=Decimal("100.00"),
        account="north",
        country="CA",
        status="paid",
        flags=frozenset({"international"}),
        count=3,
    )


def test_what_an_event_does_not_say_is_at_home_unflagged_and_of_no_account() -> None:
    assert fee_usage.read_transaction(part(total="1"), reads=READS) == Transaction(amount=Decimal(1), country="US")


def test_a_program_without_an_amount_counts() -> None:
    reads = FeeProgramParams(program="dispute")
    terms = FeeTerms(tables=(FeeTable(currency="USD", fixed=Decimal(15)),))
    usage = Usage(Decimal(3), (Part(Decimal(3), 3),))
    priced = PricedProgram(reads, terms, "USD")
    assert rules.compute(model="fee_program", params=priced, usage=usage).amount_exact == 45


@pytest.mark.parametrize("text", ["", "ten", "1e3", "NaN", " 5 "])
def test_an_amount_that_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(AmountUnreadableError, match="reads the amount from total"):
        fee_usage.read_transaction(part(total=text), reads=READS)


def test_an_event_without_an_amount_is_refused() -> None:
    with pytest.raises(AmountUnreadableError):
        fee_usage.read_transaction(part(merchant="north"), reads=READS)


def test_a_program_is_priced_by_its_figures() -> None:
    usage = Usage(Decimal(200), (part(2, total="100.00", card_kind="foreign"),))
    computed = rules.compute(model="fee_program", params=PricedProgram(READS, CARD, "USD"), usage=usage)
    assert computed.amount_exact == Decimal("9.40")  # 4.4 % of 200.00 and 2 × 0.30


def test_a_country_without_a_table_is_named_with_its_program_and_currency() -> None:
    reads = FeeProgramParams(program="card", amount="total", country="place")
    at_home = FeeTerms(tables=(FeeTable(currency="USD", country="US", rate_percent=Decimal(1)),))
    usage = Usage(Decimal(1), (part(total="100.00", place="CA"),))
    with pytest.raises(FeeTableMissingError, match="program card: There is no table in USD for CA, and none"):
        rules.compute(model="fee_program", params=PricedProgram(reads, at_home, "USD"), usage=usage)


def test_without_its_figures_it_is_not_priced() -> None:
    with pytest.raises(FiguresMissingError, match="stand in its versions"):
        preview.preview_price(
            model="fee_program", params={"program": "card"}, currency="USD", events=[{"units": "1"}], rounding_rule=None
        )


def test_parameters_are_written_as_they_were_read() -> None:
    parsed = price_params.parse_stored_params(model="fee_program", params=WRITTEN)
    assert parsed == READS
    assert price_params.write_params(parsed) == WRITTEN


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({}, "/params/program"),
        ({"program": 5}, "/params/program"),
        ({"program": "card", "amount": ""}, "/params/amount"),
        ({"program": "card", "home_country": "Canada"}, "/params/home_country"),
        ({"program": "card", "flags": [{"surcharge": "manual"}]}, "/params/flags/0/property"),
        ({"program": "card", "flags": "manual"}, "/params/flags"),
        ({"program": "card", "rate_percent": "2.9"}, "/params/rate_percent"),
    ],
)
def test_wrong_parameters_are_named_with_their_place(params: Any, pointer: str) -> None:
    with pytest.raises(price_params.ParamsError) as caught:
        price_params.parse_stored_params(model="fee_program", params=params)
    assert caught.value.pointer == pointer


def test_a_person_reads_which_program_and_which_properties() -> None:
    assert words.price_in_words(READS, currency="USD", unit="USD") == [
        "as the fee program card says",
        (
            "amount from total, account from merchant, country from place, status from state,"
            " international where card_kind is foreign, manual where typed_in is true"
        ),
        "in US where the event names no country",
    ]
