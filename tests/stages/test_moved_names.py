"""An id in another system moves to another customer: what came before stays, and its retry is still the same event."""

from typing import Any

import pytest

from accounts import external_ids
from accounts.models import ExternalId
from billing_ops.management.commands import check_invariants
from core.errors import NotFoundError
from core.models import AuditEntry
from metering.models import QuarantinedEvent, UsageEvent
from tests.builders import usage

pytestmark = pytest.mark.django_db
NAMED: dict[str, Any] = {"subject": None, "subjectsystem": "stripe", "subjectid": "cus_1"}


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()
    usage.customer("beta")
    for system, name in (("stripe", "cus_1"), ("subject", "old-name")):
        external_ids.add_external_id(
            customer_code="acme", system=system, external_id=name, actor=usage.person("enza"), at=usage.NOON
        )


def move(system: str, name: str, *, since: str = "acme", to: str = "beta") -> ExternalId:
    return external_ids.move_external_id(
        customer_code=since, system=system, external_id=name, to_customer=to, actor=usage.person("enza"), at=usage.NOON
    )


def owners() -> dict[str, str]:
    return dict(UsageEvent.objects.values_list("event_id", "customer__code"))


@pytest.mark.parametrize(
    ("system", "name", "named"), [("stripe", "cus_1", NAMED), ("subject", "old-name", {"subject": "old-name"})]
)
def test_a_retry_of_an_event_from_before_the_move_is_a_duplicate(system: str, name: str, named: dict[str, Any]) -> None:
    assert usage.capture(usage.event("1", **named)).accepted == 1
    move(system, name)
    again = usage.capture(usage.event("1", **named), usage.event("2", **named), usage.event("1", **named))
    assert (again.accepted, again.duplicates, again.quarantined) == (1, 2, 0)
    assert owners() == {"1": "acme", "2": "beta"}
    assert [found for one in check_invariants.all_invariants() for found in one.find_offenders()] == []


def test_it_stays_a_duplicate_however_often_the_name_moves() -> None:
    usage.capture(usage.event("1", **NAMED))
    usage.customer("gamma")
    move("stripe", "cus_1")
    move("stripe", "cus_1", since="beta", to="gamma")
    assert usage.capture(usage.event("1", **NAMED)).duplicates == 1


def test_another_body_under_a_moved_name_is_still_a_conflict() -> None:
    usage.capture(usage.event("1", **NAMED))
    move("stripe", "cus_1")
    usage.capture(usage.event("1", **NAMED, data={"input_tokens": 4, "output_tokens": 5}))
    assert QuarantinedEvent.objects.get().reasons == [
        {
            "code": "conflict",
            "detail": "Another event with the same `source` and `id` was accepted before.",
            "pointer": "/id",
        }
    ]


def test_an_event_of_the_former_customer_by_its_code_is_not_taken_for_that_of_another() -> None:
    usage.capture(usage.event("1"))
    assert usage.capture(usage.event("1", subject="beta")).quarantined == 1


def test_a_retry_of_a_correction_from_before_the_move_is_a_duplicate() -> None:
    usage.capture(usage.event("1", **NAMED))
    cancel = usage.event("2", **NAMED, corrects="1", correction="cancel")
    assert usage.capture(cancel).accepted == 1
    move("stripe", "cus_1")
    assert usage.capture(cancel).duplicates == 1


def test_a_move_is_on_record_with_both_customers() -> None:
    move("stripe", "cus_1")
    away, here = AuditEntry.objects.filter(action__startswith="external_id.moved").order_by("id")
    assert (away.action, away.subject, away.facts["to"]) == ("external_id.moved_away", "customer:acme", "beta")
    assert (here.action, here.subject, here.facts["came_from"]) == ("external_id.moved_here", "customer:beta", "acme")


def test_a_move_to_where_it_is_changes_nothing() -> None:
    before = ExternalId.objects.get(system="stripe")
    assert move("stripe", "cus_1", to="acme").pk == before.pk
    assert not AuditEntry.objects.filter(action__startswith="external_id.moved").exists()


def test_only_what_names_the_customer_can_be_moved_and_only_to_one_that_exists() -> None:
    for changes in ({"since": "beta"}, {"to": "nobody"}):
        with pytest.raises(NotFoundError):
            move("stripe", "cus_1", **changes)
    assert ExternalId.objects.get(system="stripe").customer.code == "acme"
