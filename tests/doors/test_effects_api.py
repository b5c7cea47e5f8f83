"""`effect-runs` and `plan-moves`: asked, answered by a worker, approved by a second person."""

import pytest

from core import work
from invoicing.pricing.models import Plan
from tests.builders import agreements
from tests.builders.agreements import START, day
from tests.builders.people import ApiClient, key_for, make_staff

pytestmark = pytest.mark.django_db
AHEAD = day(1).replace(year=2126)
INSTANT = "2126-07-01T00:00:00Z"


def client(role: str) -> ApiClient:
    return ApiClient(key_for(make_staff(f"some-{role}", role)))


@pytest.fixture
def plan() -> Plan:
    """30.00 a month for one customer since 2026."""
    made = agreements.plan()
    agreements.fee(made)
    agreements.start(agreements.customer(), made, since=START)
    return made


def test_the_effect_of_a_price_is_asked_and_read(plan: Plan) -> None:
    price = agreements.propose_price(plan, charge="base", model="flat", params={"amount": "35"}, effective_at=AHEAD)
    product = client("product")
    asked = product.post("effect-runs", {"price_version": price.pk})
    assert (asked.status_code, asked.json()["finished_at"]) == (202, None)
    work.run_due_jobs(at=AHEAD)
    run = product.get(f"effect-runs/{asked.json()['id']}").json()
    assert run["finished_at"] is not None
    assert run["summary"] == {
        "total": 1,
        "done": 1,
        "dearer": 1,
        "cheaper": 0,
        "failed": 0,
        "old_amount": "30",
        "new_amount": "35",
    }
    effects = product.get(f"effect-runs/{run['id']}/effects").json()["results"]
    assert [(each["customer"], each["old_amount"], each["new_amount"], each["currency"]) for each in effects] == [
        ("acme", "30", "35", "EUR")
    ]
    assert [each["id"] for each in product.get("effect-runs").json()["results"]] == [run["id"]]


def test_terms_are_named_by_plan_and_version(plan: Plan) -> None:
    terms = agreements.set_terms(plan, effective_at=AHEAD, proration_unit="day")
    asked = client("auditor").post("effect-runs", {"plan": "basic", "version": 2})
    assert (asked.status_code, asked.json()["plan_version"]) == (202, terms.pk)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"plan": "basic"},
        {"version": 1},
        {"price_version": 0},
        {"plan": "basic", "version": 9},
        {"price_version": "x"},
    ],
)
def test_a_question_about_nothing_is_refused(plan: Plan, body: dict[str, object]) -> None:
    assert client("finance").post("effect-runs", body).status_code == 422


def test_everybody_is_moved_by_two_persons(plan: Plan) -> None:
    agreements.fee(agreements.plan("pro"), "45.00")
    product, finance = client("product"), client("finance")
    made = product.post("plan-moves", {"source": "basic", "target": "pro", "effective_at": INSTANT})
    assert (made.status_code, made.json()["status"]) == (201, "proposed")
    path = f"plan-moves/{made.json()['id']}"
    work.run_due_jobs(at=AHEAD)
    dry_run = product.get(f"effect-runs/{made.json()['dry_run']}").json()
    assert dry_run["summary"]["new_amount"] == "45"
    assert product.post(f"{path}/approve").status_code == 403
    assert finance.post(f"{path}/approve").json()["status"] == "approved"
    assert finance.post(f"{path}/withdraw").json()["code"] == "move_decided"
    work.run_due_jobs(at=AHEAD)
    done = finance.get(path).json()
    assert (done["progress"], done["decided_by"]) == ({"waiting": 0, "moved": 1, "refused": 0}, "some-finance")
    assert [each["id"] for each in finance.get("plan-moves").json()["results"]] == [done["id"]]


def test_a_move_that_does_not_fit_names_the_field(plan: Plan) -> None:
    agreements.plan("yearly", interval="year")
    refused = client("finance").post("plan-moves", {"source": "basic", "target": "yearly", "effective_at": INSTANT})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/target")


@pytest.mark.parametrize("path", ["effect-runs/77", "effect-runs/77/effects", "plan-moves/77"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert client("auditor").get(path).status_code == 404
