"""Plans, prices, tax rates and subscriptions in the back office: what is shown, who may act, and what a dialog does."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from invoicing.pricing.admin.forms import EXAMPLES, WITH_MODIFIERS
from invoicing.pricing.models import Charge, Plan, PriceVersion, Subscription, TaxRate
from invoicing.pricing.rules import params
from tests.builders import agreements
from tests.builders.agreements import BEFORE, day

pytestmark = pytest.mark.django_db
ROLES = ("product", "finance", "ops", "engineering", "auditor")


def signed_in(role: str, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(agreements.person(f"some-{role}", role))
    return client


def page(model: str, row: int | None = None) -> str:
    name = f"admin:pricing_{model}"
    return reverse(f"{name}_changelist") if row is None else reverse(f"{name}_change", args=[row])


def action(model: str, name: str, row: int | None = None) -> str:
    return reverse(f"admin:pricing_{model}_{name}", args=[] if row is None else [row])


def submit(client: Client, url: str, **fields: Any) -> Any:
    return client.post(url, {"_form_submitted": "True", **fields})


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def plan() -> Plan:
    """A plan with a priced meter, a price still ahead, and a fee."""
    made, meter = agreements.plan(), agreements.meter()
    agreements.set_price(made, meter=meter)
    agreements.set_price(made, meter=meter, effective_at=day(1).replace(year=2126), params={"unit_amount": "0.02"})
    agreements.fee(made)
    return made


def test_a_plan_shows_its_charges_with_every_price_in_time(plan: Plan) -> None:
    text = shown(signed_in("auditor"), page("plan", plan.pk))
    for words in ("Tokens", "0.01 EUR per token", "in force", "0.02 EUR per token", "ahead", "30.00 EUR per period"):
        assert words in text
    assert "basic" in shown(signed_in("auditor"), page("plan"))


def test_a_charge_without_price_says_so(plan: Plan) -> None:
    Charge.objects.create(plan=plan, code="storage", name="Storage")
    assert "No price yet" in shown(signed_in("auditor"), page("plan", plan.pk))


def test_a_price_version_shows_what_it_charges() -> None:
    made, meter = agreements.plan(), agreements.meter()
    tiers = {"tiers": [{"up_to": "1000", "unit_amount": "0.01"}, {"up_to": None, "unit_amount": "2"}]}
    price = agreements.set_price(made, meter=meter, model="graduated", params=tiers)
    text = shown(signed_in("auditor"), page("priceversion", price.pk))
    for words in ("10.00", "12.00", "Amount (EUR)", "1,001", "198,010.00", "zero_usage_policy"):
        assert words in text, words
    assert "graduated" in shown(signed_in("auditor"), page("priceversion")).lower()


def test_a_price_that_looks_closer_than_at_a_quantity_is_shown_in_words() -> None:
    given = {"inner": "standard", "unit_amount": "0.5", "bucket": "hour", "included_quantity": "5"}
    price = agreements.set_price(agreements.plan(), meter=agreements.meter(), model="bucketed", params=given)
    text = shown(signed_in("auditor"), page("priceversion", price.pk))
    for words in ("each hour by itself:", "0.50 EUR per token", "5 token included"):
        assert words in text, words


def test_an_example_beyond_any_invoice_does_not_break_the_page() -> None:
    price = agreements.set_price(agreements.plan(), meter=agreements.meter(), params={"unit_amount": "999999999999"})
    assert "too large to bill" in shown(signed_in("finance"), page("priceversion", price.pk))


def test_a_new_plan_is_entered_and_then_only_described(plan: Plan) -> None:
    client = signed_in("product")
    terms = {"code": "pro", "name": "Pro", "currency": "EUR", "interval": "month", "proration_unit": "day"}
    assert client.post(reverse("admin:pricing_plan_add"), {**terms, "description": ""}).status_code == 302
    made = Plan.objects.get(code="pro")
    version = made.versions.get()
    found = (version.proration_unit, version.status, str(version.created_by))
    assert found == ("day", "proposed", "some-product")
    changed = {**terms, "name": "Pro 2", "description": "For teams.", "currency": "USD", "code": "other"}
    assert client.post(page("plan", made.pk), changed).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.description, made.code, made.currency) == ("Pro 2", "For teams.", "pro", "EUR")
    assert made.history.first().history_user.username == "some-product"


def test_a_new_price_is_added_by_a_dialog(plan: Plan) -> None:
    charge = plan.charges.get(code="tokens")
    client = signed_in("product")
    url = action("plan", "new_price", plan.pk)
    assert "package_size" in shown(client, url)
    answer = submit(
        client,
        url,
        charge=charge.pk,
        model="volume",
        params='{"tiers": [{"up_to": null, "unit_amount": 0.015}]}',
        effective_at="2026-07-01T00:00:00",
    )
    assert answer["HX-Redirect"] == page("plan", plan.pk)
    price = charge.price_versions.get(version=3)
    assert (price.model, price.params["tiers"][0]["unit_amount"]) == ("volume", "0.015")
    assert (price.effective_at, str(price.created_by)) == (day(182), "some-product")


def test_a_proposed_price_is_approved_on_its_page_by_another_person(plan: Plan) -> None:
    price = agreements.propose_price(plan, charge="base", model="flat", params={"amount": "35"}, effective_at=day(20))
    assert "proposed" in shown(signed_in("auditor"), page("plan", plan.pk))
    finance = signed_in("finance")
    for words in ("Approve", "Withdraw"):
        assert words in shown(finance, page("priceversion", price.pk))
    answer = submit(finance, action("priceversion", "approve", price.pk))
    assert answer["HX-Redirect"] == page("priceversion", price.pk)
    price.refresh_from_db()
    assert (price.status, str(price.decided_by)) == ("approved", "some-finance")
    assert finance.get(action("priceversion", "withdraw", price.pk)).status_code == 403


def test_nobody_finds_a_button_to_approve_what_they_proposed(plan: Plan) -> None:
    client = signed_in("finance")
    given = {"proration_unit": "day", "proration_zone": "", "effective_at": "2126-07-01T00:00"}
    submit(client, action("plan", "new_version", plan.pk), **given)
    version = plan.versions.get(version=2)
    assert client.get(action("planversion", "approve", version.pk)).status_code == 403
    submit(client, action("planversion", "withdraw", version.pk))
    version.refresh_from_db()
    assert version.status == "withdrawn"
    assert "withdrawn" in shown(client, page("plan", plan.pk))


def test_a_refused_approval_says_why(plan: Plan) -> None:
    ahead = day(20).replace(year=2126)
    price = agreements.propose_price(plan, charge="base", model="flat", params={"amount": "1"}, effective_at=ahead)
    agreements.set_price(plan, charge="base", model="flat", params={"amount": "2"}, effective_at=ahead)
    client = signed_in("finance")
    submit(client, action("priceversion", "approve", price.pk))
    assert "would count instead" in shown(client, page("priceversion", price.pk))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "This is not JSON"),
        ('{"unit_amount": NaN}', "This is not JSON"),
        ('{"unit_amount": "1_000"}', "/params/unit_amount"),
        ('{"unit_price": "1"}', "/params/unit_price"),
    ],
)
def test_bad_parameters_are_refused_where_they_were_typed(plan: Plan, given: str, words: str) -> None:
    charge = plan.charges.get(code="tokens")
    answer = submit(
        signed_in("product"),
        action("plan", "new_price", plan.pk),
        charge=charge.pk,
        model="standard",
        params=given,
        effective_at="2026-07-01T00:00",
    )
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert charge.price_versions.count() == 2


def test_a_price_before_the_one_in_force_is_answered_with_a_message(plan: Plan) -> None:
    charge = plan.charges.get(code="tokens")
    client = signed_in("finance")
    url = action("plan", "new_price", plan.pk)
    submit(
        client, url, charge=charge.pk, model="standard", params='{"unit_amount": "1"}', effective_at="2020-01-01T00:00"
    )
    assert "a new one must begin after that" in shown(client, page("plan", plan.pk))
    assert charge.price_versions.count() == 2


def test_a_dialog_offers_only_the_charges_of_its_plan(plan: Plan) -> None:
    other = agreements.plan("pro")
    foreign = agreements.fee(other).charge
    answer = submit(
        signed_in("finance"),
        action("plan", "new_price", plan.pk),
        charge=foreign.pk,
        model="flat",
        params='{"amount": "1"}',
        effective_at="2026-07-01T00:00",
    )
    assert "Select a valid choice" in answer.content.decode()


def test_a_charge_is_added_by_a_dialog(plan: Plan) -> None:
    meter = agreements.meter("storage")
    url = action("plan", "new_charge", plan.pk)
    submit(signed_in("finance"), url, code="storage", name="Storage", meter=meter.pk)
    assert plan.charges.get(code="storage").meter == meter


@pytest.mark.parametrize("model", list(EXAMPLES))
def test_every_example_of_a_price_is_one(model: str) -> None:
    as_copied = json.loads(json.dumps(EXAMPLES[model]))
    assert params.write_params(params.parse_stored_params(model=model, params=as_copied))
    assert EXAMPLES.keys() == params.READERS.keys() == set(PriceVersion.ModelName.values)


def test_the_example_with_modifiers_is_a_price() -> None:
    written = params.write_params(params.parse_stored_params(model="standard", params=WITH_MODIFIERS))
    assert written == {**WITH_MODIFIERS, "minimum_amount": "20", "maximum_amount": "500", "partial_period": "prorate"}


def test_a_tax_rate_is_added_by_a_dialog() -> None:
    client = signed_in("finance")
    url = action("taxrate", "new_rate")
    assert "Add rate" in shown(client, url)
    given = {"code": "vat", "name": "VAT", "category": "S", "percent": "19", "effective_at": "2026-01-01T00:00"}
    assert submit(client, url, **given)["HX-Redirect"] == page("taxrate")
    assert TaxRate.objects.get().percent == 19
    assert "19 %" in shown(client, page("taxrate"))


def test_a_subscription_is_started_changed_and_ended_by_dialogs(plan: Plan) -> None:
    who, pro = agreements.customer(), agreements.plan("pro")
    agreements.plan("yearly", interval="year")
    client = signed_in("finance")
    started = {"customer": who.pk, "plan": plan.pk, "starts_at": "2026-01-01T00:00", "anchor_date": ""}
    submit(client, action("subscription", "start"), **started)
    subscription = Subscription.objects.get()
    dialog = shown(client, action("subscription", "change_plan", subscription.pk))
    assert "Pro" in dialog
    assert "Yearly" not in dialog
    submit(
        client,
        action("subscription", "change_plan", subscription.pk),
        plan=pro.pk,
        effective_at="2026-01-15T00:00",
    )
    submit(client, action("subscription", "end", subscription.pk), ends_at="2126-01-01T00:00")
    found = [(phase.plan, phase.starts_at, str(phase.created_by)) for phase in subscription.phases.all()]
    assert found == [(plan, day(1), "some-finance"), (pro, day(15), "some-finance")]
    subscription.refresh_from_db()
    assert subscription.ends_at == day(1).replace(year=2126)
    text = shown(client, page("subscription", subscription.pk))
    assert "Change plan" in text
    assert "Acme Ltd" in shown(client, page("subscription"))


def test_a_refused_change_is_answered_with_a_message(plan: Plan) -> None:
    subscription = agreements.start(agreements.customer(), plan)
    client = signed_in("finance")
    submit(client, action("subscription", "end", subscription.pk), ends_at="2025-12-01T00:00")
    assert "The end must lie after the start" in shown(client, page("subscription", subscription.pk))
    assert Subscription.objects.get().ends_at is None


@pytest.mark.parametrize(
    ("model", "name", "allowed"),
    [
        ("plan", "new_price", {"product", "finance"}),
        ("plan", "new_version", {"product", "finance"}),
        ("plan", "new_charge", {"product", "finance"}),
        ("taxrate", "new_rate", {"finance"}),
        ("subscription", "start", {"finance"}),
        ("subscription", "change_plan", {"finance"}),
        ("subscription", "end", {"finance"}),
    ],
)
def test_only_the_right_roles_reach_a_dialog(plan: Plan, model: str, name: str, allowed: set[str]) -> None:
    row = None if name in ("new_rate", "start") else plan.pk
    if model == "subscription" and row is not None:
        row = agreements.start(agreements.customer(), plan, since=BEFORE).pk
    for role in ROLES:
        answer = signed_in(role).get(action(model, name, row))
        assert answer.status_code == (200 if role in allowed else 403), role


def test_nothing_is_changed_without_a_csrf_token(plan: Plan) -> None:
    client = signed_in("finance", csrf=True)
    assert submit(client, action("plan", "new_charge", plan.pk), code="x", name="X").status_code == 403
    assert plan.charges.count() == 2


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("plan", "new_price"),
        ("plan", "new_charge"),
        ("plan", "new_version"),
        ("subscription", "change_plan"),
        ("subscription", "end"),
    ],
)
def test_a_dialog_about_nothing_is_no_crash(model: str, name: str) -> None:
    given = {"code": "x", "name": "X", "ends_at": "2026-01-01T00:00", "effective_at": "2026-01-01T00:00"}
    answer = submit(signed_in("finance"), action(model, name, 77), **given)
    assert answer.status_code in (200, 404)


def test_agreements_cannot_be_edited_or_deleted_as_rows(plan: Plan) -> None:
    subscription = agreements.start(agreements.customer(), plan)
    price = PriceVersion.objects.earliest("pk")
    client = signed_in("finance")
    assert client.post(page("subscription", subscription.pk), {"ends_at_0": "2026-01-02"}).status_code == 403
    assert client.post(page("priceversion", price.pk), {"params": "{}"}).status_code == 403
    for model, row in (("plan", plan.pk), ("subscription", subscription.pk), ("priceversion", price.pk)):
        assert client.post(reverse(f"admin:pricing_{model}_delete", args=[row])).status_code == 403
    assert client.get(reverse("admin:pricing_subscription_add")).status_code == 403
