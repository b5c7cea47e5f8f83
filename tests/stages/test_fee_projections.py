"""What fee programs will have cost by the end of running periods, from the events so far."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from invoicing.pricing.models import Subscription
from invoicing.rating import project
from tests.builders import fees
from tests.builders.billing import NOVEMBER, OCTOBER
from tests.builders.people import ApiClient, key_for, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
TENTH_OF_OCTOBER = datetime(2026, 10, 11, tzinfo=UTC)  # ten of 31 days are over


def projected(*, at: datetime = TENTH_OF_OCTOBER) -> dict[str, tuple[Decimal, Decimal, int, int]]:
    found = project.project_fees(list(Subscription.objects.values_list("pk", flat=True)), at=at)
    return {
        one.charge.code: (
            one.projected.so_far,
            one.projected.at_end,
            one.projected.active_accounts,
            one.projected.expected_accounts,
        )
        for one in found
    }


def test_payouts_go_on_as_they_came() -> None:
    fees.open_platform()
    fees.pay_out("north", "1000.00", day=2)
    fees.pay_out("south", "400.00", day=9)
    # so far 2 × 2.00 + 3.50 + 0.50 = 8.00; 4.00 × 31 / 10 = 12.40, and the accounts as they are
    assert projected()["connect"] == (Decimal("8.00"), Decimal("16.40"), 2, 2)
    assert projected()["cards"] == (Decimal(0), Decimal(0), 0, 0)


def test_accounts_of_the_month_before_are_expected_again() -> None:
    fees.open_platform(since=datetime(2026, 9, 1, tzinfo=UTC))
    fees.pay_out("north", "1.00", day=5, month=9)
    fees.pay_out("west", "1.00", day=6, month=9)
    fees.pay_out("north", "1000.00", day=2)
    # so far 2.00 + 2.50 + 0.25; 2.75 × 31 / 10 = 8.525, and 2 × 2.00
    assert projected()["connect"] == (Decimal("4.75"), Decimal("12.53"), 1, 2)


def test_a_projection_names_the_period_and_the_figures_in_force() -> None:
    fees.open_platform()
    fees.pay_out("north", "1000.00", day=2)
    found = project.project_fees([Subscription.objects.get().pk], at=TENTH_OF_OCTOBER)
    assert {str(one.version) for one in found} == {
        "stripe-connect v1",
        "stripe-managed-payments v1",
        "stripe-standard v1",
    }
    assert {(one.period.start, one.period.end, one.currency) for one in found} == {(OCTOBER, NOVEMBER, "USD")}


def test_figures_that_change_in_the_month_count_each_transaction_by_its_own() -> None:
    fees.open_platform()
    fees.pay_out("north", "1000.00", day=2)
    terms = {"tables": [{"currency": "USD", "rate_percent": "1", "per_account": "5.00"}]}
    fees.next_figures("stripe-connect", terms, effective_at=datetime(2026, 10, 5, tzinfo=UTC))
    assert projected()["connect"][0] == Decimal("4.75")  # Connect changes with the next period


def test_nothing_is_projected_before_a_subscription_begins_or_after_it_ended() -> None:
    fees.open_platform()
    assert project.project_fees([Subscription.objects.get().pk], at=OCTOBER) == []
    assert project.project_fees([], at=TENTH_OF_OCTOBER) == []


def test_the_api_gives_the_projections_of_a_customer() -> None:
    fees.open_platform()
    client = ApiClient(key_for(make_staff("auditor", "auditor"), scopes=("read",)))
    answer = client.get("fee-projections?customer=acme")
    assert answer.status_code == 200
    assert [(one["program"], one["so_far"], one["currency"]) for one in answer.json()] == [
        ("stripe-standard", "0.00", "USD"),
        ("stripe-managed-payments", "0.00", "USD"),
        ("stripe-connect", "0.00", "USD"),
    ]
    assert client.get("fee-projections").status_code == 422
    assert client.get("fee-projections?customer=nobody").json() == []
