"""The terms of a fee program are read strictly and written back in one shape."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.pricing.rules import fee_terms
from invoicing.pricing.rules.fee_terms import FeeTable, FeeTerms, Surcharge
from invoicing.pricing.rules.params import ParamsError

WHOLE = {
    "rounding_level": "per_payout",
    "refunds": "percentage_returned",
    "failed_statuses": ["failed", "canceled"],
    "failed_makes_active": True,
    "tables": [
        {
            "currency": "USD",
            "country": None,
            "rate_percent": "2.9",
            "fixed": "0.3",
            "per_account": "2",
            "percentage_minimum": None,
            "minimum": "0.5",
            "cap": "5",
            "surcharges": [{"code": "manual", "rate_percent": "0.5", "fixed": "0"}],
        },
        {
            "currency": "CAD",
            "country": "CA",
            "rate_percent": "0",
            "fixed": "0",
            "per_account": "0",
            "percentage_minimum": "0.5",
            "minimum": None,
            "cap": None,
            "surcharges": [],
        },
    ],
}


def problems(document: Any) -> list[tuple[str, str]]:
    with pytest.raises(ParamsError) as caught:
        fee_terms.parse_terms(document)
    return [(each.pointer, each.code) for each in caught.value.found]


def test_terms_are_written_as_they_were_read() -> None:
    assert fee_terms.write_terms(fee_terms.parse_terms(WHOLE)) == WHOLE


def test_what_is_not_said_has_a_default() -> None:
    assert fee_terms.parse_terms({"tables": [{"currency": "EUR", "fixed": "15"}]}) == FeeTerms(
        tables=(FeeTable(currency="EUR", fixed=Decimal(15)),), rounding_level="month_total", refunds="kept"
    )


def test_figures_are_read_exactly() -> None:
    table = fee_terms.parse_terms(WHOLE).tables[0]
    assert (table.rate_percent, table.minimum, table.cap) == (Decimal("2.9"), Decimal("0.5"), Decimal(5))
    assert table.surcharges == (Surcharge("manual", Decimal("0.5")),)


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ({}, [("/terms/tables/0/currency", "currency")]),
        ({"currency": "usd"}, [("/terms/tables/0/currency", "currency")]),
        ({"currency": ["USD"]}, [("/terms/tables/0/currency", "currency")]),
        ({"currency": "USD", "country": "Canada"}, [("/terms/tables/0/country", "country")]),
        ({"currency": "USD", "country": 1}, [("/terms/tables/0/country", "country")]),
        ({"currency": "USD", "rate_percent": 2.9}, [("/terms/tables/0/rate_percent", "number")]),
        ({"currency": "USD", "rate_percent": "101"}, [("/terms/tables/0/rate_percent", "out_of_range")]),
        ({"currency": "USD", "fixed": "-1"}, [("/terms/tables/0/fixed", "out_of_range")]),
        ({"currency": "USD", "minimum": "6", "cap": "5"}, [("/terms/tables/0/minimum", "order")]),
        ({"currency": "USD", "monthly": "6"}, [("/terms/tables/0/monthly", "unknown_field")]),
        ({"currency": "USD", "surcharges": "manual"}, [("/terms/tables/0/surcharges", "type")]),
        ({"currency": "USD", "surcharges": [{"code": "A b"}]}, [("/terms/tables/0/surcharges/0/code", "name")]),
        (
            {"currency": "USD", "surcharges": [{"code": "manual"}, {"code": "manual"}]},
            [("/terms/tables/0/surcharges", "duplicate")],
        ),
    ],
)
def test_a_wrong_figure_is_named_with_its_place(table: Any, found: list[tuple[str, str]]) -> None:
    assert problems({"tables": [table]}) == found


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (None, [("/terms", "type"), ("/terms/tables", "required")]),
        ({}, [("/terms/tables", "required")]),
        ({"tables": []}, [("/terms/tables", "length")]),
        ({"tables": [{"currency": "USD"}], "refunds": "maybe"}, [("/terms/refunds", "choice")]),
        ({"tables": [{"currency": "USD"}], "failed_makes_active": 1}, [("/terms/failed_makes_active", "type")]),
        ({"tables": [{"currency": "USD"}], "failed_makes_active": "yes"}, [("/terms/failed_makes_active", "type")]),
        ({"tables": [{"currency": "USD"}], "failed_statuses": "failed"}, [("/terms/failed_statuses", "type")]),
        ({"tables": [{"currency": "USD"}, {"currency": "USD"}]}, [("/terms/tables/1", "duplicate")]),
    ],
)
def test_wrong_terms_are_named_with_their_place(document: Any, found: list[tuple[str, str]]) -> None:
    assert problems(document) == found
