"""What a fee program will have cost by the end of the month, worked out by hand."""

from decimal import Decimal

from invoicing.pricing.rules.fee_terms import FeeTable, FeeTerms
from invoicing.rating.rules import projection
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.projection import Projected

CONNECT = FeeTerms(
    tables=(
        FeeTable(currency="USD", rate_percent=Decimal("0.25"), fixed=Decimal("0.25"), per_account=Decimal(2)),
        FeeTable(currency="USD", country="CA", per_account=Decimal(3)),
    ),
    failed_statuses=("failed",),
)


def project(
    *sent: tuple[str, str], earlier: dict[str, str] | None = None, elapsed: int = 10, whole: int = 30
) -> Projected:
    return projection.project_fee(
        batches=[(CONNECT, [Transaction(amount=Decimal(amount), account=account) for account, amount in sent])],
        currency="USD",
        earlier_accounts=earlier or {},
        elapsed=elapsed,
        whole=whole,
    )


def test_transactions_go_on_as_they_came_and_accounts_do_not() -> None:
    # so far: 2 × 2.00 + 0.25 % of 1,000.00 + 2 × 0.25 = 7.00; three times the payouts: 9.00 + 4.00
    assert project(("a", "600.00"), ("b", "400.00")) == Projected(
        so_far=Decimal("7.00"), at_end=Decimal("13.00"), active_accounts=2, expected_accounts=2
    )


def test_accounts_of_the_month_before_are_expected_again_by_their_country() -> None:
    found = project(("a", "1000.00"), earlier={"a": "", "c": "", "d": "CA"})
    # so far: 2.00 + 2.50 + 0.25; at the end: 3 × 2.75 + 2.00 + 2.00 + 3.00
    assert found == Projected(so_far=Decimal("4.75"), at_end=Decimal("15.25"), active_accounts=1, expected_accounts=3)


def test_when_the_month_is_over_nobody_else_is_expected() -> None:
    found = project(("a", "1000.00"), earlier={"b": ""}, elapsed=30)
    assert (found.so_far, found.at_end, found.expected_accounts) == (Decimal("4.75"), Decimal("4.75"), 1)


def test_before_anything_was_sent_the_accounts_of_the_month_before_are_all_there_is() -> None:
    assert project(earlier={"a": "", "b": ""}) == Projected(
        so_far=Decimal(0), at_end=Decimal("4.00"), active_accounts=0, expected_accounts=2
    )


def test_a_projection_is_rounded_once() -> None:
    # 0.2525 × 3 = 0.7575, and 2.00
    assert project(("a", "1.00")).at_end == Decimal("2.76")


def test_what_was_sent_under_earlier_figures_is_priced_by_them() -> None:
    dearer = FeeTerms(tables=(FeeTable(currency="USD", rate_percent=Decimal(1)),))
    cheaper = FeeTerms(tables=(FeeTable(currency="USD", rate_percent=Decimal("0.5")),))
    found = projection.project_fee(
        batches=[(dearer, [Transaction(amount=Decimal(100))]), (cheaper, [Transaction(amount=Decimal(100))])],
        currency="USD",
        earlier_accounts={},
        elapsed=1,
        whole=2,
    )
    assert (found.so_far, found.at_end) == (Decimal("1.50"), Decimal("3.00"))
