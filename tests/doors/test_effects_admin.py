"""On the page of a version: side by side with the one before, tried, asked for its effect; and moves of everybody."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import work
from invoicing.effects import moves
from invoicing.effects.models import EffectRun, PlanMove
from invoicing.pricing.models import Plan
from tests.builders import agreements
from tests.builders.agreements import START, day

pytestmark = pytest.mark.django_db
AHEAD = day(1).replace(year=2126)


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(agreements.person(f"some-{role}", role))
    return client


def shown(client: Client, url: str, **query: str) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def page(model: str, row: int) -> str:
    return reverse(f"admin:{model}_change", args=[row])


def submit(client: Client, name: str, row: int | None = None, **fields: Any) -> Any:
    url = reverse(f"admin:{name}", args=[] if row is None else [row])
    return client.post(url, {"_form_submitted": "True", **fields})


@pytest.fixture
def plan() -> Plan:
    """30.00 a month for one customer since 2026."""
    made = agreements.plan()
    agreements.fee(made)
    agreements.start(agreements.customer(), made, since=START)
    return made


def test_a_price_stands_beside_the_one_that_it_follows(plan: Plan) -> None:
    price = agreements.propose_price(plan, charge="base", model="flat", params={"amount": "35"}, effective_at=AHEAD)
    text = shown(signed_in("auditor"), page("pricing_priceversion", price.pk))
    for words in ("Version 1 and version 2", "<td>amount</td>", "<strong> 35 </strong>", ">changed</span>"):
        assert words.replace("> 35 <", ">35<") in text.replace("> 35 <", ">35<"), words
    first = plan.charges.get().price_versions.get(version=1)
    assert "The first version of this price" in shown(signed_in("auditor"), page("pricing_priceversion", first.pk))


def test_another_version_may_stand_beside_it(plan: Plan) -> None:
    agreements.set_price(plan, charge="base", model="flat", params={"amount": "32"}, effective_at=AHEAD)
    price = agreements.propose_price(plan, charge="base", model="flat", params={"amount": "35"}, effective_at=AHEAD)
    first = plan.charges.get().price_versions.get(version=1)
    client, url = signed_in("finance"), page("pricing_priceversion", price.pk)
    assert "Version 2 and version 3" in shown(client, url)
    assert "Version 1 and version 3" in shown(client, url, **{"with": str(first.pk)})
    assert "Version 2 and version 3" in shown(client, url, **{"with": "x' --"})


def test_a_quantity_is_tried_and_every_step_is_shown() -> None:
    tiers = {"tiers": [{"up_to": "1000", "unit_amount": "0.01"}, {"up_to": None, "unit_amount": "0.008"}]}
    price = agreements.set_price(agreements.plan(), meter=agreements.meter(), model="graduated", params=tiers)
    text = shown(signed_in("product"), page("pricing_priceversion", price.pk), units="1500")
    for words in ("14.00 EUR", "Tier 1: 0 to 1000", "Tier 2: above 1000", 'value="1500"'):
        assert words in text, words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"units": "1_000"}, "not a plain decimal"),
        ({"units": "-1e9"}, 'role="alert"'),
        ({"events": "{"}, "The events are not JSON"),
        ({"events": "[1]"}, 'role="alert"'),
        ({"units": "9" * 40}, 'role="alert"'),
        ({"events": "[" * 5000}, 'role="alert"'),
    ],
)
def test_what_cannot_be_tried_is_said_where_it_was_typed(query: dict[str, str], words: str) -> None:
    price = agreements.set_price(agreements.plan(), meter=agreements.meter())
    assert words in shown(signed_in("product"), page("pricing_priceversion", price.pk), **query)


def test_new_terms_stand_beside_those_before(plan: Plan) -> None:
    terms = agreements.set_terms(plan, effective_at=AHEAD, proration_unit="day")
    text = shown(signed_in("auditor"), page("pricing_planversion", terms.pk))
    for words in ("Version 1 and version 2", "By second", "By local day"):
        assert words in text


def test_the_effect_of_a_price_is_asked_worked_out_and_shown(plan: Plan) -> None:
    price = agreements.propose_price(plan, charge="base", model="flat", params={"amount": "35"}, effective_at=AHEAD)
    client = signed_in("product")
    answer = submit(client, "effects_effectrun_ask_price", price.pk)
    asked = EffectRun.objects.get()
    assert answer["Location"] == page("effects_effectrun", asked.pk)
    waiting = client.get(answer["Location"])
    assert waiting.headers["Refresh"] == "4"
    work.run_due_jobs(at=AHEAD)
    done = client.get(answer["Location"])
    assert "Refresh" not in done.headers
    text = " ".join(done.content.decode().split())
    for words in ("1 would have paid more, 0 less", "30.00", "35.00", "+5.00", "All 1"):
        assert words in text, words
    listed = reverse("admin:effects_effectrun_changelist")
    assert str(price) in shown(client, listed, price_version__id__exact=str(price.pk))


def test_the_effect_of_terms_is_asked(plan: Plan) -> None:
    terms = agreements.set_terms(plan, effective_at=AHEAD, proration_unit="day")
    assert submit(signed_in("auditor"), "effects_effectrun_ask_terms", terms.pk).status_code == 302
    assert EffectRun.objects.get().plan_version == terms


def test_everybody_on_a_plan_is_moved_with_a_dry_run_and_a_second_person(plan: Plan) -> None:
    pro = agreements.plan("pro")
    agreements.fee(pro, "45.00")
    product, finance = signed_in("product"), signed_in("finance")
    submit(product, "effects_planmove_propose", source=plan.pk, target=pro.pk, effective_at="2126-07-01T00:00")
    move = PlanMove.objects.get()
    work.run_due_jobs(at=AHEAD)
    text = shown(finance, page("effects_planmove", move.pk))
    for words in ("Dry run", "+15.00", "Approve", "Withdraw"):
        assert words in text, words
    submit(finance, "effects_planmove_approve", move.pk)
    work.run_due_jobs(at=AHEAD)
    assert "1 moved, 0 not moved, 0 waiting." in shown(finance, page("effects_planmove", move.pk))


def test_what_was_not_moved_is_listed_with_its_reason(plan: Plan) -> None:
    move = moves.propose_move(source=plan, target=plan, effective_at=AHEAD, actor=agreements.author(), at=START)
    moves.approve_move(move_id=move.pk, actor=agreements.approver(), at=START)
    work.run_due_jobs(at=AHEAD)
    assert "It keeps no older prices then." in shown(signed_in("auditor"), page("effects_planmove", move.pk))


def test_who_proposed_a_move_finds_no_button_to_approve_it(plan: Plan) -> None:
    client = signed_in("finance")
    submit(client, "effects_planmove_propose", source=plan.pk, target=plan.pk, effective_at="2126-07-01T00:00")
    move = PlanMove.objects.get()
    assert submit(client, "effects_planmove_approve", move.pk).status_code == 403
    submit(client, "effects_planmove_withdraw", move.pk)
    move.refresh_from_db()
    assert move.status == "withdrawn"


def test_a_move_that_does_not_fit_is_refused_with_a_message(plan: Plan) -> None:
    other = agreements.plan("yearly", interval="year")
    client = signed_in("finance")
    submit(client, "effects_planmove_propose", source=plan.pk, target=other.pk, effective_at="2126-07-01T00:00")
    assert "bills by month in EUR, yearly by year in EUR" in shown(client, reverse("admin:effects_planmove_changelist"))
    assert not PlanMove.objects.exists()


def test_seats_and_kept_prices_are_agreed_in_dialogs(plan: Plan) -> None:
    subscription = plan.phases.get().subscription
    client = signed_in("finance")
    submit(
        client,
        "pricing_subscription_set_quantity",
        subscription.pk,
        charge_code="base",
        quantity="5",
        effective_at="2026-02-01T00:00",
    )
    submit(
        client,
        "pricing_subscription_keep_prices",
        subscription.pk,
        since="2026-02-01T00:00",
        until="2126-02-01T00:00",
    )
    assert [str(row.quantity.normalize()) for row in subscription.quantities.all()] == ["5"]
    assert [(row.starts_at, row.plan) for row in subscription.kept_prices.all()] == [(day(32), plan)]
    kept = subscription.kept_prices.get()
    released = {"kept": kept.pk, "ends_at": "2126-01-01T00:00", "reason": "agreed by mail"}
    submit(client, "pricing_subscription_release_prices", subscription.pk, **released)
    kept.refresh_from_db()
    assert (kept.ends_at, kept.released_because) == (datetime(2126, 1, 1, tzinfo=UTC), "agreed by mail")
    text = shown(client, page("pricing_subscription", subscription.pk))
    for words in ("Quantities in order of time", "Kept prices", "agreed by mail"):
        assert words.lower() in text.lower()
