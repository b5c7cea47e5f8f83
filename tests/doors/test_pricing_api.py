"""`plans`, `price-versions`, `tax-rates` and `subscriptions`: who may agree on what, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from invoicing.pricing.models import Charge, PriceVersion, Subscription
from tests.builders import agreements
from tests.builders.people import ApiClient, key_for, make_staff

pytestmark = pytest.mark.django_db
PLAN = {"code": "basic", "name": "Basic", "currency": "EUR", "interval": "month", "proration_unit": "day"}
PRICE = {
    "plan": "basic",
    "meter": "tokens",
    "model": "standard",
    "params": {"unit_amount": "0.01"},
    "effective_at": "2026-01-01T00:00:00Z",
}
START = {"customer": "acme", "plan": "basic", "starts_at": "2026-01-01T00:00:00Z"}
VAT = {"code": "vat", "name": "VAT", "category": "S", "percent": "19", "effective_at": "2026-01-01T00:00:00Z"}


def client(role: str, *, scopes: tuple[str, ...] = ("read", "write")) -> ApiClient:
    return ApiClient(key_for(make_staff(f"some-{role}", role), scopes=scopes))


@pytest.fixture
def finance() -> ApiClient:
    return client("finance")


@pytest.fixture
def priced(finance: ApiClient) -> ApiClient:
    """Finance, with a customer and a plan that charges for a meter."""
    agreements.customer()
    agreements.meter()
    assert finance.post("plans", PLAN).status_code == 201
    price = finance.post("price-versions", PRICE)
    assert price.status_code == 201
    approve("plans/basic/versions/1")
    approve(f"price-versions/{price.json()['id']}")
    return finance


def approve(path: str) -> None:
    """By somebody else in finance."""
    other, _ = User.objects.get_or_create(username="other-finance", defaults={"is_staff": True})
    other.groups.set(Group.objects.filter(name="finance"))
    assert ApiClient(key_for(other)).post(f"{path}/approve").status_code == 200


def errors(response: Any) -> list[tuple[str, str]]:
    assert response["Content-Type"] == "application/problem+json"
    assert response.status_code in (409, 422)
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def test_a_plan_is_made_charged_priced_and_read_back(finance: ApiClient) -> None:
    agreements.meter()
    assert finance.post("plans", PLAN).json()["charges"] == []
    charge = finance.post("plans/basic/charges", {"code": "base", "name": "Base fee"})
    assert (charge.status_code, charge.json()["meter"]) == (201, None)
    price = finance.post("price-versions", PRICE)
    assert price.status_code == 201
    assert {name: price.json()[name] for name in PRICE} == PRICE
    assert (price.json()["version"], price.json()["charge"], price.json()["name"]) == (1, "tokens", "Tokens")
    assert finance.get(f"price-versions/{price.json()['id']}").json() == price.json()
    plan = finance.get("plans/basic").json()
    assert [(each["code"], each["meter"]) for each in plan["charges"]] == [("base", None), ("tokens", "tokens")]


def test_what_one_person_proposes_another_approves_or_withdraws(finance: ApiClient) -> None:
    agreements.customer()
    agreements.meter()
    product = client("product")
    made = product.post("plans", PLAN).json()
    assert [(each["status"], each["created_by"], each["decided_by"]) for each in made["versions"]] == [
        ("proposed", "some-product", None)
    ]
    assert errors(finance.post("subscriptions", START)) == [("/plan", "plan_not_approved")]
    assert product.post("plans/basic/versions/1/approve").status_code == 403
    approved = finance.post("plans/basic/versions/1/approve").json()
    assert (approved["status"], approved["decided_by"]) == ("approved", "some-finance")
    assert finance.post("subscriptions", START).status_code == 201
    own = finance.post("price-versions", PRICE).json()
    refused = finance.post(f"price-versions/{own['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (403, "own_proposal")
    withdrawn = product.post(f"price-versions/{own['id']}/withdraw").json()
    assert (withdrawn["status"], withdrawn["decided_by"]) == ("withdrawn", "some-product")
    assert finance.post(f"price-versions/{own['id']}/withdraw").json()["code"] == "not_proposed"
    listed = {
        state: len(finance.get(f"price-versions?status={state}").json()["results"])
        for state in ("proposed", "withdrawn")
    }
    assert listed == {"proposed": 0, "withdrawn": 1}


def test_the_terms_of_a_plan_are_followed_by_a_new_version(priced: ApiClient) -> None:
    terms = {"proration_unit": "second", "effective_at": "2126-01-01T00:00:00Z"}
    made = priced.post("plans/basic/versions", terms)
    assert (made.status_code, made.json()["version"], made.json()["status"]) == (201, 2, "proposed")
    plan = priced.get("plans/basic").json()
    assert plan["proration_unit"] == "day"
    assert [(each["version"], each["proration_unit"]) for each in plan["versions"]] == [(1, "day"), (2, "second")]
    for change, pointer in [
        ({"proration_zone": "Mars/Olympus"}, "/proration_zone"),
        ({"effective_at": "1990-01-01T00:00:00Z"}, "/effective_at"),
    ]:
        assert [found for found, _ in errors(priced.post("plans/basic/versions", {**terms, **change}))] == [pointer]
    assert priced.post("plans/basic/versions/7/approve").status_code == 404


def test_a_flat_fee_is_priced_by_the_code_of_its_charge(finance: ApiClient) -> None:
    finance.post("plans", PLAN)
    fee = {**PRICE, "charge": "base", "name": "Base fee", "model": "flat", "params": {"amount": "29.00"}}
    del fee["meter"]
    made = finance.post("price-versions", fee)
    assert (made.status_code, made.json()["meter"], made.json()["params"]) == (
        201,
        None,
        {"amount": "29", "billed": "in_arrears"},
    )
    assert finance.post("price-versions", {**fee, "effective_at": "2026-02-01T00:00:00Z"}).json()["version"] == 2
    assert Charge.objects.count() == 1


def test_only_name_and_description_of_a_plan_may_change(finance: ApiClient) -> None:
    finance.post("plans", PLAN)
    changed = finance.call("PATCH", "plans/basic", {"name": "Basic 2", "currency": "USD"})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["currency"]) == ("Basic 2", "EUR")
    assert finance.call("PUT", "plans/basic", PLAN).status_code == 405
    assert finance.call("DELETE", "plans/basic").status_code == 405


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"code": "with space"}, "/code"),
        ({"currency": "XYZ"}, "/currency"),
        ({"interval": "decade"}, "/interval"),
        ({"proration_unit": "hour"}, "/proration_unit"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 121}, "/name"),
    ],
)
def test_a_plan_is_checked_field_by_field(finance: ApiClient, change: dict[str, str], pointer: str) -> None:
    assert [found for found, _ in errors(finance.post("plans", {**PLAN, **change}))] == [pointer]


def test_a_plan_code_is_given_once(finance: ApiClient) -> None:
    finance.post("plans", PLAN)
    assert errors(finance.post("plans", PLAN)) == [("/code", "unique")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"params": {"unit_amount": "nan"}}, [("/params/unit_amount", "number")]),
        ({"params": {"unit_amount": "1", "x": 1}}, [("/params/x", "unknown_field")]),
        ({"params": None}, [("/params", "null")]),
        ({"model": "graduated", "params": {"tiers": [{"up_to": "5", "unit_amount": "1"}]}},
         [("/params/tiers/0/up_to", "open_end")]),
        ({"model": "flat", "params": {"amount": "1"}}, [("/model", "model_unfit")]),
        ({"model": "barter"}, [("/model", "invalid_choice")]),
        ({"plan": "none"}, [("/plan", "does_not_exist")]),
        ({"meter": "none"}, [("/meter", "does_not_exist")]),
        ({"effective_at": "2026-01-01T00:00:00"}, [("/effective_at", "naive")]),
        ({"effective_at": "soon"}, [("/effective_at", "invalid")]),
        ({"effective_at": "1999-01-01T00:00:00Z"}, [("/effective_at", "instant_out_of_range")]),
        ({"effective_at": "2025-12-31T23:59:59Z"}, [("/effective_at", "earlier_than_in_force")]),
        ({"charge": "a b"}, [("/charge", "invalid")]),
        ({"charge": "tokens", "meter": "other"}, [("/meter", "charge_unnamed")]),
    ],
)  # fmt: skip
def test_a_price_is_refused_with_the_field_at_fault(
    priced: ApiClient, change: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    agreements.meter("other")
    assert errors(priced.post("price-versions", {**PRICE, **change})) == expected
    assert PriceVersion.objects.count() == 1


def test_prices_are_listed_by_plan_charge_and_meter(priced: ApiClient) -> None:
    priced.post("plans", {**PLAN, "code": "pro"})
    agreements.meter("storage")
    priced.post("price-versions", {**PRICE, "plan": "pro", "meter": "storage"})
    listed = {
        query: [(each["plan"], each["charge"]) for each in priced.get(f"price-versions?{query}").json()["results"]]
        for query in ("", "plan=basic", "meter=storage", "charge=tokens", "plan=none")
    }
    assert listed[""] == [("pro", "storage"), ("basic", "tokens")]
    assert listed["plan=basic"] == listed["charge=tokens"] == [("basic", "tokens")]
    assert listed["meter=storage"] == [("pro", "storage")]
    assert listed["plan=none"] == []
    assert priced.get("price-versions?plan=%00").status_code == 400


def test_a_subscription_starts_changes_and_ends(priced: ApiClient) -> None:
    priced.post("plans", {**PLAN, "code": "pro"})
    approve("plans/pro/versions/1")
    made = priced.post("subscriptions", {**START, "anchor_date": "2025-12-15"})
    assert made.status_code == 201
    path = f"subscriptions/{made.json()['id']}"
    move = priced.post(f"{path}/change-plan", {"plan": "pro", "effective_at": "2026-01-15T12:00:00+02:00"})
    assert move.status_code == 200
    ended = priced.post(f"{path}/end", {"ends_at": "2126-03-01T00:00:00Z"})
    assert ended.status_code == 200
    assert priced.get(path).json() == ended.json()
    assert {name: ended.json()[name] for name in ("customer", "anchor_date", "time_zone", "starts_at", "ends_at")} == {
        "customer": "acme",
        "anchor_date": "2025-12-15",
        "time_zone": "UTC",
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2126-03-01T00:00:00Z",
    }
    assert ended.json()["phases"] == [
        {"plan": "basic", "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-15T10:00:00Z"},
        {"plan": "pro", "starts_at": "2026-01-15T10:00:00Z", "ends_at": "2126-03-01T00:00:00Z"},
    ]


def test_a_refused_change_is_a_problem_with_a_code(priced: ApiClient) -> None:
    path = f"subscriptions/{priced.post('subscriptions', START).json()['id']}"
    same = priced.post(f"{path}/change-plan", {"plan": "basic", "effective_at": "2026-02-01T00:00:00Z"})
    assert errors(same) == [("/plan", "plan_mismatch")]
    assert errors(priced.post(f"{path}/end", {"ends_at": START["starts_at"]})) == [("/ends_at", "not_in_force")]
    assert errors(priced.post("subscriptions", START)) == [("/plan", "meter_priced_twice")]
    assert errors(priced.post(f"{path}/end", {})) == [("/ends_at", "required")]
    assert errors(priced.post("subscriptions", {**START, "starts_at": "2026-01-01"})) == [("/starts_at", "naive")]
    assert Subscription.objects.count() == 1


def test_kept_prices_are_released_early_with_a_reason(priced: ApiClient) -> None:
    path = f"subscriptions/{priced.post('subscriptions', START).json()['id']}/kept-prices"
    [kept] = priced.post(path, {"since": "2026-02-01T00:00:00Z", "until": "2126-02-01T00:00:00Z"}).json()["kept_prices"]
    assert kept["released_because"] == ""
    release = f"{path}/{kept['id']}/release"
    assert errors(priced.post(release, {})) == [("/reason", "required")]
    late = {"until": "2126-03-01T00:00:00Z", "reason": "agreed by mail"}
    assert errors(priced.post(release, late)) == [("/until", "prices_kept")]
    answer = priced.post(release, {"until": "2126-01-01T00:00:00Z", "reason": "agreed by mail"})
    [kept] = answer.json()["kept_prices"]
    assert (kept["until"], kept["released_because"]) == ("2126-01-01T00:00:00Z", "agreed by mail")
    at_once = priced.post(release, {"reason": "the customer asked for the new prices"})
    assert at_once.json()["kept_prices"][0]["until"] < "2126"
    assert priced.post(f"{path}/{kept['id'] + 1}/release", {"reason": "of nobody"}).status_code == 404


def test_subscriptions_are_listed_by_customer_and_plan(priced: ApiClient) -> None:
    agreements.customer("other")
    priced.post("subscriptions", START)
    priced.post("subscriptions", {**START, "customer": "other"})

    def listed(query: str) -> list[str]:
        return [each["customer"] for each in priced.get(f"subscriptions?{query}").json()["results"]]

    assert listed("") == ["other", "acme"]
    assert listed("customer=acme") == ["acme"]
    assert listed("plan=basic&customer=other") == ["other"]
    assert listed("plan=none") == []


def test_lists_page_by_cursor(priced: ApiClient) -> None:
    for code in ("b", "c"):
        priced.post("plans", {**PLAN, "code": code})
    first = priced.get("plans?page_size=2").json()
    assert [plan["code"] for plan in first["results"]] == ["c", "b"]
    second = priced.get("plans?" + first["next"].split("?")[1]).json()
    assert ([plan["code"] for plan in second["results"]], second["next"]) == (["basic"], None)


def test_a_tax_rate_is_followed_by_the_next(finance: ApiClient) -> None:
    made = finance.post("tax-rates", VAT)
    assert made.status_code == 201
    assert {name: made.json()[name] for name in VAT} == VAT
    assert finance.get(f"tax-rates/{made.json()['id']}").json() == made.json()
    assert errors(finance.post("tax-rates", {**VAT, "percent": "16"})) == [("/effective_at", "earlier_than_in_force")]
    finance.post("tax-rates", {**VAT, "effective_at": "2126-01-01T00:00:00Z", "percent": "16.5"})
    assert [each["percent"] for each in finance.get("tax-rates?code=vat").json()["results"]] == ["16.5", "19"]
    assert finance.get("tax-rates?code=gst").json()["results"] == []


@pytest.mark.parametrize("percent", ["nan", "-1", "100.1", "19.00001", "٣", "1e1", "", True, None])
def test_a_percentage_is_read_strictly(finance: ApiClient, percent: Any) -> None:
    assert [pointer for pointer, _ in errors(finance.post("tax-rates", {**VAT, "percent": percent}))] == ["/percent"]


def test_a_repeated_call_with_its_key_has_one_effect(priced: ApiClient) -> None:
    first, again = (priced.post("subscriptions", START, Idempotency_Key="start-acme") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body", "allowed"),
    [
        ("plans", PLAN, {"product", "finance"}),
        ("plans/basic/charges", {}, {"product", "finance"}),
        ("plans/basic/versions", {}, {"product", "finance"}),
        ("plans/basic/versions/1/approve", {}, {"finance"}),
        ("plans/basic/versions/1/withdraw", {}, {"product", "finance"}),
        ("price-versions/1/approve", {}, {"finance"}),
        ("price-versions/1/withdraw", {}, {"product", "finance"}),
        ("price-versions", {}, {"product", "finance"}),
        ("tax-rates", VAT, {"finance"}),
        ("subscriptions", {}, {"finance"}),
        ("subscriptions/1/change-plan", {}, {"finance"}),
        ("subscriptions/1/end", {}, {"finance"}),
    ],
)
def test_only_the_right_roles_may_agree(path: str, body: object, allowed: set[str]) -> None:
    for role in ("product", "finance", "ops", "engineering", "auditor"):
        status = client(role).post(path, body).status_code
        assert (status != 403) == (role in allowed), role


@pytest.mark.parametrize("path", ["plans", "price-versions", "tax-rates", "subscriptions"])
def test_every_role_reads_and_nobody_else(path: str) -> None:
    assert client("auditor").get(path).status_code == 200
    assert ApiClient(key_for(make_staff("nobody"))).get(path).status_code == 403
    assert ApiClient({}).get(path).status_code == 401


@pytest.mark.parametrize(
    "path", ["plans/none", "price-versions/0", "tax-rates/9223372036854775808", "subscriptions/77"]
)
def test_what_is_not_there_is_not_found(finance: ApiClient, path: str) -> None:
    assert finance.get(path).status_code == 404


def test_a_key_that_may_only_read_does_not_write() -> None:
    assert client("finance", scopes=("read",)).post("plans", PLAN).status_code == 403
