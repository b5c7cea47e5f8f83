"""Charge controls hold, ask and lift by the policy; a person lifts with a reason; no invoice comes of them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from core.errors import InvalidInputError, NotAllowedError
from core.models import AuditEntry
from invoicing.charge_controls import access, limits, queries, reviews
from invoicing.charge_controls.models import (
    AccessChange,
    AccessState,
    ControlFiring,
    ControlState,
    CreditLimit,
    CreditReview,
)
from invoicing.charge_controls.queries import Access
from invoicing.cycle.models import Hold, Invoice
from invoicing.notices.models import Notice
from tests.builders import guards, triggers
from tests.builders.billing import person
from tests.builders.triggers import HOLD, MID, look, subscriber, use

pytestmark = pytest.mark.django_db


def seconds(number: int) -> Any:
    return MID + timedelta(seconds=number)


def answer(code: str = "acme") -> Access:
    return queries.access_of(Customer.objects.get(code=code), at=MID)


def held(**more: Any) -> None:
    """A customer whose 49 + 40 = 89 net, 105.91 with tax, reached the policy's 100."""
    subscriber(triggers.company_with(charge_controls=[HOLD | more]))
    use("a", 20000)
    look()
    assert answer().is_held


def test_exposure_that_reaches_its_line_holds_usage_with_reason_and_figures() -> None:
    subscriber(triggers.company_with(charge_controls=[HOLD]))
    use("a", 17000)  # 49 + 34 = 83, 98.77 with tax
    assert look() == ([], [])
    assert (answer().status, answer().change) == ("allowed", None)
    use("b", 3000)
    _, (firing,) = look(at=seconds(10))
    assert (firing.action, firing.exposure, firing.line) == ("hold_usage", Decimal("105.91"), 100)
    assert (firing.limit_from, firing.policy.version) == ("policy", 2)
    assert firing.inputs["unbilled"] == "105.91"
    found = answer()
    assert found.status == "held"
    assert found.reason == (
        "Usage that is not billed yet and unpaid invoices together come to 105.91 EUR and have reached the limit of "
        "100.00 EUR."
    )
    assert found.policy == firing.policy
    assert found.as_of == seconds(10)
    assert [line.holds_at for line in found.lines] == [100]
    change = AccessChange.objects.get()
    assert (change.cause, change.firing, change.actor) == ("control", firing, None)
    assert change.audit_entry.action == "access.held"
    assert Notice.objects.get().topic == "access.held"


def test_it_fires_once_per_crossing_and_not_at_each_look() -> None:
    held()
    use("b", 1000)
    assert look(at=seconds(10)) == ([], [])
    assert (ControlFiring.objects.count(), AccessChange.objects.count()) == (1, 1)


def test_a_hold_ends_by_itself_below_the_line() -> None:
    held()
    use("back", -5000)  # 49 + 30 = 79, 94.01
    look(at=seconds(10))
    assert answer().status == "allowed"
    change = AccessChange.objects.first()
    assert change is not None
    assert (change.cause, change.revision, change.actor) == ("below", 2, None)
    assert "94.01 EUR" in change.reason
    use("c", 5000)
    _, (again,) = look(at=seconds(20))
    assert again.crossing == 2
    assert answer().is_held


def test_it_ends_only_below_the_percentage_that_the_policy_says() -> None:
    held(lift_percent="90")
    use("back", -5000)  # 94.01: not below 90
    look(at=seconds(10))
    assert answer().is_held
    use("more", -3000)  # 49 + 24 = 73, 86.87
    look(at=seconds(20))
    assert not answer().is_held


def test_where_a_person_lifts_it_stays_until_one_does() -> None:
    held(lift="by_person")
    use("back", -9000)
    look(at=seconds(10))
    assert answer().is_held
    lift()
    assert not answer().is_held


def lift(*, reason: str = "paid by wire today", actor: Any = None) -> AccessState:
    return access.lift_hold(
        customer_code="acme", reason=reason, actor=actor or person("fiona", "finance"), at=seconds(30)
    )


def test_a_person_lifts_with_a_reason_and_is_not_overruled_by_the_same_crossing() -> None:
    held()
    lift()
    change = AccessChange.objects.first()
    assert change is not None
    assert change.actor is not None
    assert (change.cause, change.actor.username, change.reason) == ("person", "fiona", "paid by wire today")
    use("b", 1000)
    assert look(at=seconds(40)) == ([], [])
    assert not answer().is_held


def test_only_finance_and_ops_lift_and_say_why() -> None:
    held()
    for refused in (person("pia", "product"), person("aud", "auditor")):
        with pytest.raises(NotAllowedError):
            lift(actor=refused)
    with pytest.raises(InvalidInputError):
        lift(reason=" ")
    lift(actor=person("opal", "ops"))
    with pytest.raises(access.NotHeldError):
        lift()


def test_a_policy_that_asks_for_no_hold_ends_it() -> None:
    held()
    triggers.decide(charge_controls=[], at=seconds(10))
    look(at=seconds(10))
    change = AccessChange.objects.first()
    assert change is not None
    assert change.cause == "no_rule"
    assert not answer().is_held


def test_a_review_is_asked_for_and_resolved_by_a_person() -> None:
    subscriber(triggers.company_with(charge_controls=[HOLD | {"action": "require_review"}]))
    use("a", 20000)
    look()
    assert not answer().is_held
    review = CreditReview.objects.get()
    assert Notice.objects.get().topic == "review.requested"
    with pytest.raises(NotAllowedError):
        reviews.resolve_review(review_id=review.pk, resolution="fine", actor=person("pia", "product"), at=MID)
    reviews.resolve_review(review_id=review.pk, resolution="knows them", actor=person("opal", "ops"), at=MID)
    with pytest.raises(reviews.ReviewClosedError):
        reviews.resolve_review(review_id=review.pk, resolution="again", actor=person("opal", "ops"), at=MID)
    assert AuditEntry.objects.filter(action="credit_review.resolved").count() == 1


def test_an_interim_bill_is_asked_for_and_nothing_is_billed() -> None:
    company = triggers.company_with(cadence={"model": "threshold"}, charge_controls=[HOLD | {"action": "interim_bill"}])
    subscriber(company)
    use("a", 20000)
    _, (firing,) = look()
    assert firing.action == "interim_bill"
    assert (Invoice.objects.count(), Hold.objects.count(), AccessChange.objects.count()) == (0, 0, 0)


def test_a_limit_agreed_with_the_customer_counts_where_the_policy_says_so() -> None:
    subscriber(triggers.company_with(charge_controls=[HOLD | {"limit_from": "customer"}]))
    finance = person("fiona", "finance")
    set_limit(Decimal(200), actor=finance)
    use("a", 20000)
    assert look() == ([], [])
    assert [line.holds_at for line in answer().lines] == [200]
    set_limit(None, actor=finance)  # the policy's own again
    use("b", 1)
    _, (firing,) = look(at=seconds(10))
    assert (firing.limit_from, firing.line) == ("policy", 100)


def set_limit(amount: Decimal | None, *, actor: Any) -> CreditLimit:
    return limits.set_limit(
        customer_code="acme", currency="EUR", amount=amount, reason="their bank vouches", actor=actor, at=MID
    )


def test_limits_are_set_by_finance_and_kept() -> None:
    subscriber(triggers.company_with())
    with pytest.raises(NotAllowedError):
        set_limit(Decimal(1), actor=person("opal", "ops"))
    for wrong in (Decimal(0), Decimal("1.001"), Decimal("1e13")):
        with pytest.raises(InvalidInputError):
            set_limit(wrong, actor=person("fiona", "finance"))
    set_limit(Decimal(1), actor=person("fiona", "finance"))
    assert guards.keeps_its_rows(CreditLimit)


def test_what_was_decided_stands_as_it_was_made() -> None:
    held()
    assert guards.refuses("UPDATE charge_controls_controlfiring SET line = 1")
    assert guards.refuses("UPDATE charge_controls_accesschange SET reason = 'other'")
    assert guards.refuses("UPDATE charge_controls_accesschange SET firing_id = NULL")
    for model in (ControlFiring, ControlState, AccessChange, AccessState):
        assert guards.keeps_its_rows(model)


def test_the_answer_is_a_few_short_statements() -> None:
    held()
    customer = Customer.objects.get()
    with CaptureQueriesContext(connection) as asked:
        queries.access_of(customer, at=MID)
    assert len(asked) == 5
    assert not [one for one in asked if "usageevent" in one["sql"]]
