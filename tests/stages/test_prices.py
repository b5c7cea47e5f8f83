"""Prices and tax rates follow each other; what has come into force is never rewritten."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.errors import DomainError
from core.models import AuditEntry
from invoicing.pricing import plans, prices, proposals, queries
from invoicing.pricing.models import Charge, Plan, PlanVersion, PriceVersion, Subscription, TaxRate
from tests.builders import agreements, guards
from tests.builders.agreements import BEFORE, day

pytestmark = pytest.mark.django_db
MOMENT = timedelta(microseconds=1)


def propose(charge: Charge, **facts: Any) -> PriceVersion:
    usual: dict[str, Any] = {"model": "standard", "params": {"unit_amount": "0.02"}, "effective_at": day(40)}
    given: dict[str, Any] = {"actor": agreements.author(), "at": day(10), **usual, **facts}
    return prices.propose_price_version(charge=charge, **given)


def add(charge: Charge, **facts: Any) -> PriceVersion:
    """Proposed, and approved at the same instant."""
    return agreements.approve(propose(charge, **facts), at=facts.get("at", day(10)))


def usage_charge() -> Charge:
    """A charge with a price in force since before the year."""
    return agreements.set_price(agreements.plan(), meter=agreements.meter()).charge


def test_the_next_price_gets_the_next_number_and_the_canonical_parameters() -> None:
    price = add(usage_charge(), params={"unit_amount": "0.0200"}, actor=agreements.person("pia", "product"))
    assert (price.version, price.params, price.effective_at) == (2, {"unit_amount": "0.02"}, day(40))
    assert (str(price.created_by), price.status, str(price.decided_by)) == ("pia", "approved", "fay")


def test_a_new_price_is_in_the_audit_chain() -> None:
    person = agreements.person("pia", "product")
    propose(usage_charge(), actor=person)
    entry = AuditEntry.objects.order_by("-id").first()
    assert entry is not None
    assert (entry.action, entry.subject, entry.actor) == ("version_proposed", "price:basic/tokens/2", person)
    assert entry.facts["params"] == {"unit_amount": "0.02"}


def test_a_price_may_begin_in_the_past_but_not_before_the_one_in_force() -> None:
    charge = usage_charge()
    add(charge, effective_at=day(5))
    for effective_at in (day(5), day(5) - MOMENT):
        with pytest.raises(proposals.EarlierThanInForceError, match="began at 2026-01-05") as refusal:
            add(charge, effective_at=effective_at)
        assert refusal.value.pointer == "/effective_at"
    assert add(charge, effective_at=day(5) + MOMENT).version == 3


def test_a_price_that_is_still_ahead_may_be_replaced_or_preceded() -> None:
    charge = usage_charge()
    add(charge, effective_at=day(40))
    assert add(charge, effective_at=day(40), params={"unit_amount": "0.03"}).version == 3
    assert add(charge, effective_at=day(20)).version == 4


def test_a_price_that_has_just_come_into_force_is_not_replaced() -> None:
    charge = usage_charge()
    add(charge, effective_at=day(40))
    with pytest.raises(proposals.EarlierThanInForceError):
        add(charge, effective_at=day(40), at=day(40))


def test_a_meter_is_priced_by_usage() -> None:
    charge = plans.add_charge(plan=agreements.plan(), code="it", name="It", meter=agreements.meter())
    with pytest.raises(prices.ModelUnfitError):
        add(charge, model="flat", params={"amount": "1"})


def test_what_has_no_meter_is_priced_by_a_number_of_its_own() -> None:
    charge = plans.add_charge(plan=agreements.plan(), code="it", name="It", meter=None)
    assert add(charge, params={"unit_amount": "1"}).model == "standard"


def test_a_price_without_end_or_meaning_is_not_kept() -> None:
    charge = usage_charge()
    with pytest.raises(DomainError) as refusal:
        add(charge, model="graduated", params={"tiers": [{"up_to": "10", "unit_amount": "1"}]})
    assert refusal.value.problems()[0]["pointer"] == "/params/tiers/0/up_to"
    with pytest.raises(DomainError, match="between the years"):
        add(charge, effective_at=day(1).replace(year=1999))
    assert charge.price_versions.count() == 1


def test_a_plan_is_priced_by_meter_and_the_charge_is_made_when_it_is_new() -> None:
    plan, meter = agreements.plan(), agreements.meter()
    first = agreements.set_price(plan, meter=meter)
    assert (first.charge.code, first.charge.name, first.charge.meter) == ("tokens", "Tokens", meter)
    second = agreements.set_price(plan, meter=meter, effective_at=day(1))
    assert (second.charge, second.version) == (first.charge, 2)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"charge_code": None, "meter": None, "name": "It"}, "/charge"),
        ({"charge_code": "new", "meter": None, "name": None}, "/name"),
    ],
)
def test_a_charge_must_be_named(given: dict[str, Any], pointer: str) -> None:
    with pytest.raises(prices.ChargeUnnamedError) as refusal:
        prices.propose_plan_price(
            plan=agreements.plan(),
            **given,
            model="flat",
            params={"amount": "1"},
            effective_at=day(1),
            actor=agreements.author(),
            at=BEFORE,
        )
    assert refusal.value.pointer == pointer


def test_a_charge_of_another_meter_is_not_meant() -> None:
    plan = agreements.plan()
    agreements.set_price(plan, meter=agreements.meter())
    with pytest.raises(prices.ChargeUnnamedError, match="not for meter other"):
        agreements.set_price(plan, charge="tokens", meter=agreements.meter("other"))


def test_a_refused_price_leaves_no_charge_behind() -> None:
    plan = agreements.plan()
    with pytest.raises(DomainError):
        agreements.set_price(plan, charge="base", model="flat", params={"amount": "-1"})
    assert not plan.charges.exists()


def test_a_plan_charges_once_for_a_meter_and_once_under_a_code() -> None:
    plan, meter = agreements.plan(), agreements.meter()
    plans.add_charge(plan=plan, code="use", name="Use", meter=meter)
    with pytest.raises(plans.ChargeTakenError):
        plans.add_charge(plan=plan, code="again", name="Again", meter=meter)
    with pytest.raises(plans.ChargeTakenError):
        plans.add_charge(plan=plan, code="use", name="Use", meter=None)


def test_what_is_agreed_cannot_be_changed_in_the_database() -> None:
    price = agreements.set_price(agreements.plan(), meter=agreements.meter())
    agreements.start(agreements.customer(), price.charge.plan)
    prices.add_tax_rate(
        code="vat", name="VAT", category="S", percent=Decimal(19), effective_at=BEFORE, note="", actor=None, at=BEFORE
    )
    assert guards.refuses("UPDATE pricing_priceversion SET params = '{}'")
    assert guards.refuses("UPDATE pricing_planversion SET proration_unit = 'day'")
    assert guards.refuses("UPDATE pricing_taxrate SET percent = 20")
    assert guards.refuses("UPDATE pricing_plan SET currency = 'USD'")
    assert guards.refuses("UPDATE pricing_charge SET meter_id = NULL")
    assert all(guards.keeps_its_rows(model) for model in (PlanVersion, PriceVersion, TaxRate, Subscription))


@pytest.mark.parametrize(
    "sql",
    [
        (
            "INSERT INTO pricing_taxrate (code, name, category, percent, effective_at, note, created_at) "
            "VALUES ('x', 'X', 'S', 'NaN', '2026-01-01', '', now())"
        ),
        (
            "INSERT INTO pricing_taxrate (code, name, category, percent, effective_at, note, created_at) "
            "VALUES ('x', 'X', 'Z', 5, '2026-01-01', '', now())"
        ),
        (
            "INSERT INTO pricing_plan (code, name, description, currency, interval, created_at) "
            "VALUES ('x', 'X', '', 'EUR', 'decade', now())"
        ),
    ],
)
def test_values_that_mean_nothing_cannot_be_stored(sql: str) -> None:
    assert guards.refuses(sql)


def vat(percent: str, *, since: float, at: float = 1, category: str = "S") -> TaxRate:
    return prices.add_tax_rate(
        code="vat",
        name="VAT",
        category=category,
        percent=Decimal(percent),
        effective_at=day(since),
        note="",
        actor=None,
        at=day(at),
    )


def test_the_tax_in_force_is_the_latest_begun() -> None:
    first, second = vat("19", since=1), vat("16", since=20, at=2)
    assert queries.tax_rate_for("vat", at=day(1) - MOMENT) is None
    assert queries.tax_rate_for("vat", at=day(1)) == first
    assert queries.tax_rate_for("vat", at=day(20) - MOMENT) == first
    assert queries.tax_rate_for("vat", at=day(20)) == second
    assert queries.tax_rate_for("gst", at=day(20)) is None


def test_a_tax_still_ahead_is_replaced_by_one_of_the_same_instant() -> None:
    vat("19", since=1)
    vat("16", since=20, at=2)
    corrected = vat("17", since=20, at=3)
    assert queries.tax_rate_for("vat", at=day(20)) == corrected
    with pytest.raises(proposals.EarlierThanInForceError):
        vat("18", since=20, at=20)


@pytest.mark.parametrize(("category", "percent"), [("S", "0"), ("Z", "19"), ("AE", "1")])
def test_only_the_standard_category_has_a_percentage(category: str, percent: str) -> None:
    with pytest.raises(DomainError, match="standard rate"):
        vat(percent, since=1, category=category)


def test_a_plan_keeps_its_terms_and_may_be_described_anew() -> None:
    plan = plans.describe_plan(plan=agreements.plan(), name="Basic 2", description="For small teams.")
    assert Plan.objects.get().name == "Basic 2"
    assert plan.history.count() == 2
