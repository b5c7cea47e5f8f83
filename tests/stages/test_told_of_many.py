"""Words about many persons at once are kept as long as each of them is, and go everywhere with the first."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import Error, transaction

from accounts.models import Customer
from compliance.erasure import persons, plan
from core import audit, personal_keys, told_of_many
from core.models import OneOfMany, WordsOfMany
from metering import backfills, reviews
from metering.models import ArrivalStream, HealthPolicy, ReviewItem
from tests.builders import billing, dumps, guards, people, said_of_many
from tests.builders.billing import CLOSING

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SAID = "brother Egon called"
GONE = "erased on 26 Nov 2026"


@pytest.fixture
def two() -> tuple[Customer, Customer]:
    return billing.make_customer("c-17", legal_name="Erika Mustermann"), billing.make_customer("c-18")


def key(customer: Customer) -> int:
    assert customer.personal_key_id is not None
    return customer.personal_key_id


def erase(customer: Customer, *said: str) -> None:
    personal_keys.destroy_keys([key(customer)], at=NOW)
    personal_keys.destroy_keys(told_of_many.keys_about([key(customer)], said=said), at=NOW)


def test_they_go_with_the_first_of_those_they_are_about(two: tuple[Customer, Customer]) -> None:
    told = told_of_many.tell_of_many(SAID, about=map(key, two))
    later = told_of_many.tell_of_same(told, "and again")
    assert (str(told), str(later)) == (SAID, "and again")
    assert dumps.find_words(["Egon", "and again"]) == []
    erase(two[1])
    assert [personal_keys.open_text(one) for one in WordsOfMany.objects.values_list("kept", flat=True)] == [GONE] * 2
    assert two[0].legal_name == "Erika Mustermann", "who was not erased is kept"


def test_they_go_with_whoever_they_name(two: tuple[Customer, Customer]) -> None:
    named = told_of_many.tell_of_many("ask ERIKA MUSTERMANN first", about=())
    other = told_of_many.tell_of_many("the gateway of c-170 was down", about=[key(two[1])])
    assert told_of_many.keys_about([], said=["Erika Mustermann", "c-17"]) == [told_of_many.key_of(named)]
    erase(two[0], "Erika Mustermann", "c-17")
    kept = [personal_keys.open_text(one.kept) for one in WordsOfMany.objects.order_by("pk")]
    assert kept == [GONE, str(other)]


def test_nothing_is_kept_of_whoever_was_erased_before(two: tuple[Customer, Customer]) -> None:
    erase(two[0])
    told = told_of_many.tell_of_many(SAID, about=map(key, two))
    assert (str(told), WordsOfMany.objects.exists()) == (personal_keys.NOT_KEPT, False)


def test_under_whose_key_they_are_written_again_makes_no_difference(two: tuple[Customer, Customer]) -> None:
    told = told_of_many.tell_of_many(SAID, about=map(key, two))
    assert personal_keys.tell_about(two[1], told).kept == told.kept, "not under the key of the other alone"
    personal_keys.destroy_keys([key(two[0])], at=NOW)
    assert personal_keys.tell_about(two[0], told).kept == personal_keys.NOT_KEPT


def test_postgresql_refuses_them_in_clear_and_keeps_whom_they_are_about(two: tuple[Customer, Customer]) -> None:
    told_of_many.tell_of_many(SAID, about=map(key, two))
    with pytest.raises(Error, match="core_words_of_many_are_sealed"), transaction.atomic():
        WordsOfMany.objects.create(key_id=key(two[0]), kept=SAID)
    for model in (WordsOfMany, OneOfMany):
        assert guards.keeps_its_rows(model)


def test_one_decision_over_many_is_forgotten_in_all_places_with_one_of_them(tmp_path: Path) -> None:
    company, ops = billing.open_company(), people.make_staff("olivia", "ops")
    erika = billing.make_customer("c-17")
    billing.subscribe_to(company, erika)
    billing.use("c-17", ("e1", billing.day(3), 10))
    said_of_many.neighbour(company)
    said_of_many.hold_drafts(said=SAID, actor=company.finance, other=company.other_finance)
    said_of_many.discard_events(said=SAID, actor=ops)
    said_of_many.stage_events(said=SAID, actor=ops, finance=company.finance)
    read = said_of_many.as_it_reads()
    assert len(read) >= 14
    assert set(read) == {SAID}
    assert dumps.find_words(["Egon"]) == []
    assert (
        "Words about many at once, which are then erased for all of them: 5."
        in plan.plan_of(persons.find_person(kind="customer", code="c-17"), at=NOW).goes
    )
    erase(erika)
    assert set(said_of_many.as_it_reads()) == {GONE}
    assert audit.find_first_broken_entry() is None


def test_an_erasure_waits_for_backfills_that_hold_their_events() -> None:
    ops = people.make_staff("olivia", "ops")
    billing.make_customer("c-17")
    backfills.create_backfill(name="logs", reason="a day of logs", actor=ops, at=CLOSING)
    backfills.stage_events(name="logs", deliveries=[said_of_many.event("e", subject="c-17", units=1)], actor=ops)
    person = persons.find_person(kind="customer", code="c-17")
    assert plan.plan_of(person, at=NOW).forbids == ["Backfill logs holds events that name them. Decide over it first."]


def test_what_a_review_of_a_stream_found_is_sealed_too() -> None:
    opal: User = people.make_staff("opal", "ops")
    stream = ArrivalStream.objects.create(source="a", event_type="b", first_minute=NOW, last_minute=NOW)
    item = ReviewItem.objects.create(
        kind="silent",
        stream=stream,
        policy=HealthPolicy.objects.earliest("pk"),
        minute=NOW,
        last_seen_at=NOW,
        opened_at=NOW,
    )
    reviews.resolve_item(item_id=item.pk, actor=opal, reason=SAID, at=NOW)
    assert item.steps.get().reason == SAID
    assert dumps.find_words(["Egon"]) == []
