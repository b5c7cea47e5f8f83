"""Sets are made, versioned and required; what is required stands in the way of what was not replayed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from core import activation, work
from core.activation import NotYetError
from core.errors import InvalidInputError, NotAllowedError
from core.models import Job
from invoicing.policy import propose
from invoicing.pricing import prices
from invoicing.pricing.models import PriceVersion
from invoicing.replay import agreed, candidate, forgetting, history, invariants, queries, run, sets, tasks
from invoicing.replay.agreed import DatedRows
from invoicing.replay.models import ReplayRequirement, ReplayRun, ReplaySetVersion
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import ContentInvalidError
from metering import contracts, ingest
from metering.models import LaterSealing
from tests.builders import as_expected, billing, replayed
from tests.builders.billing import Company
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
NOW = billing.NEXT_CLOSING + timedelta(days=1)
ENOUGH = "Nobody of this program ever changes plans."


@pytest.fixture(autouse=True)
def nothing_played(monkeypatch: pytest.MonkeyPatch) -> None:
    as_expected.play_nothing(monkeypatch)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Company, ReplaySetVersion]]:
    with replayed.lasting_world(django_db_blocker):
        company = replayed.open_company()
        replayed.bill_two_months(company)
        yield company, make(company)


@pytest.fixture
def company(world: tuple[Company, ReplaySetVersion]) -> Company:
    return world[0]


@pytest.fixture
def made(world: tuple[Company, ReplaySetVersion]) -> ReplaySetVersion:
    """Two months of acme, as the set autumn."""
    return world[1]


def make(company: Company, name: str = "autumn", **options: Any) -> ReplaySetVersion:
    given = {"customer_codes": ["acme"], "until": None, "actor": company.finance, "at": NOW, **options}
    return sets.make_from_history(name=name, **given)


def require(company: Company, name: str = "autumn", **options: Any) -> ReplayRequirement:
    given = {"is_required": True, "statement": "", "actor": company.finance, "at": NOW, **options}
    return sets.decide_requirement(name=name, **given)


def carry_out(company: Company, name: str = "autumn", **options: Any) -> ReplayRun:
    given = {"orders": 0, "with_version": None, "actor": company.finance, "at": NOW, **options}
    asked = run.write_down(name=name, **given)
    return run.carry_out(run_id=asked.pk, clock=lambda: NOW)


def approve(price: PriceVersion) -> PriceVersion:
    return prices.approve_price_version(pk=price.pk, actor=billing.approver(), at=NOW + timedelta(hours=1))


def refusal_of(thing: Any) -> activation.Refusal:
    [refusal] = activation.find_refusals(thing, at=NOW)
    return refusal


def test_a_set_from_history_says_what_it_holds(made: ReplaySetVersion) -> None:
    assert (made.version, made.origin, made.event_count, made.document_count) == (1, "history", 12, 2)
    assert made.includes == {
        "retries": 6,
        "retries_added": 6,
        "late_arrivals": 1,
        "plan_changes": 1,
        "threshold_crossings": 1,
    }
    assert made.holds["customers"] == ["acme"]
    assert made.replay_set.program == "standard"
    assert contents.hash_of(contents.canonical_text(sets.content_of(made))) == made.content_hash


def test_a_set_up_to_an_instant_ends_there(company: Company) -> None:
    made = make(company, "october", until=billing.NOVEMBER)
    assert (made.document_count, made.includes["late_arrivals"], made.includes["plan_changes"]) == (1, 0, 0)


def test_events_that_were_held_back_stay_out(company: Company) -> None:
    named = {"specversion": "1.0", "source": "s", "id": "held", "type": "usage", "subject": "acme"}
    event = {**named, "time": "2026-10-05T12:00:00Z", "data": {"units": "many", "reader": "Ada Lovelace"}}
    captured = ingest.capture_events([event], channel="http", origin="test", at=NOW)
    assert captured.quarantined == 1
    made = make(company, "held")
    assert made.notes[-1] == "Events that were held back are left out (1): what they say may be about persons."
    assert b"Lovelace" not in contents.canonical_text(sets.content_of(made))


def row(number: int, **columns: Any) -> dict[str, Any]:
    return {"id": number, **columns}


def test_contracts_are_in_force_one_after_the_other() -> None:
    first = row(1, contract_id=7, activated_at="2026-01-01T00:00:00+00:00", status="retired")
    second = row(2, contract_id=7, activated_at="2026-11-10T00:00:00+00:00", status="active")
    dated = DatedRows({"metering_eventcontractversion": [first, second]})
    change = datetime(2026, 11, 10, tzinfo=UTC)
    assert dated.contract_instants(after=billing.NOVEMBER, up_to=billing.DECEMBER) == [change]
    before = dated.known_by(change, without_it=True)
    after = dated.known_by(change)
    assert before["metering_eventcontractversion"] == [{**first, "status": "active"}]
    # The old one retires before the new one comes into force: PostgreSQL lets only one be.
    assert agreed.changes(before, after) == {
        "metering_eventcontractversion": [{**first, "status": "retired"}, {**second, "status": "active"}]
    }
    assert agreed.changes(after, after) == {}


def test_a_plan_runs_on_until_another_one_is_agreed() -> None:
    start, change = "2026-10-01T00:00:00+00:00", "2026-11-16T00:00:00+00:00"
    first = row(1, subscription_id=7, starts_at=start, ends_at=change, created_at=start)
    second = row(2, subscription_id=7, starts_at=change, ends_at=None, created_at="2026-11-12T00:00:00+00:00")
    dated = DatedRows({"pricing_subscriptionphase": [first, second]})
    assert dated.known_by(billing.NOVEMBER)["pricing_subscriptionphase"] == [{**first, "ends_at": None}]
    assert dated.known_by(billing.DECEMBER)["pricing_subscriptionphase"] == [first, second]


def test_a_subscription_ends_when_it_was_to_end_by_then() -> None:
    """On 5 October nothing was agreed, on the 12th the 20th, on the 14th the 25th."""
    start, last = "2026-10-01T00:00:00+00:00", "2026-10-25T12:00:00+00:00"
    subscription = row(7, ends_at=last, created_at=start)
    phase = row(1, subscription_id=7, starts_at=start, ends_at=last, created_at=start)
    dated = DatedRows(
        {"pricing_subscription": [subscription], "pricing_subscriptionphase": [phase]},
        ends={7: [(billing.day(12), billing.day(20)), (billing.day(14), billing.day(25))]},
    )
    for number, end in ((5, None), (12, "2026-10-20T12:00:00+00:00"), (13, "2026-10-20T12:00:00+00:00"), (14, last)):
        known = dated.known_by(billing.day(number))
        assert known == {
            "pricing_subscription": [{**subscription, "ends_at": end}],
            "pricing_subscriptionphase": [{**phase, "ends_at": end}],
        }


def test_the_same_content_is_not_kept_twice(company: Company, made: ReplaySetVersion) -> None:
    with pytest.raises(sets.SameContentError):
        make(company)
    assert make(company, until=billing.NOVEMBER).version == 2


def test_a_set_that_was_written_out_can_be_uploaded(company: Company, made: ReplaySetVersion) -> None:
    text = contents.canonical_text(sets.content_of(made))
    again = sets.upload(name="copy", text=text, actor=company.finance, at=NOW)
    assert (again.origin, again.content_hash) == ("upload", made.content_hash)


def test_what_an_upload_says_of_somebody_is_erased_with_them_and_what_came_out_stays(
    company: Company, made: ReplaySetVersion
) -> None:
    content = sets.content_of(made)
    content["notes"] = ["as Erika Mustermann asked"]
    content["steps"][0]["name"] = "as Erika Mustermann asked"
    uploaded = sets.upload(name="copy", text=contents.canonical_text(content), actor=company.finance, at=NOW)
    ran = carry_out(company, "copy")
    assert forgetting.versions_that_hold(words=["Somebody Else"], ids=["c-17"], customer_code="acme") == []
    found = forgetting.versions_that_hold(words=["Erika Mustermann"], ids=["c-17"])
    assert found == [uploaded], "what is taken from history names nobody"
    forgetting.erase_content(found)
    with pytest.raises(sets.ContentErasedError, match="copy v1 held was erased with somebody"):
        sets.content_of(uploaded)
    with pytest.raises(sets.ContentErasedError):
        run.write_down(name="copy", orders=None, with_version=None, actor=None, at=NOW)
    [state] = queries.states_of([uploaded.replay_set])
    assert state.why.endswith("cannot be run again as it was: make the next version of the set.")
    ran.refresh_from_db()
    assert ran.result_hash
    uploaded.refresh_from_db()
    assert uploaded.content_hash
    found_altered = {one.name: list(one.find_offenders()) for one in invariants.INVARIANTS}
    assert found_altered["a replay set holds what was hashed"] == []


def test_what_was_taken_from_history_before_a_mark_goes_with_the_customer(
    company: Company, made: ReplaySetVersion
) -> None:
    contract = company.meter.contract
    version = contract.versions.get()
    LaterSealing.objects.create(version=version, names=["caller"], started_at=NOW + timedelta(days=1))
    assert forgetting.versions_that_hold(words=[], ids=[], customer_code="somebody") == []
    assert forgetting.versions_that_hold(words=[], ids=[], customer_code="acme") == [made]


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("rows", "pricing_plan", 0, "colour"), "blue", "/steps/0/rows/pricing_plan/0"),
        (("rows", "pricing_plan", 0, "code"), None, "/steps/0/rows/pricing_plan/0"),
        (("rows", "pricing_plan", 0, "interval_count"), "many", "/steps/0/rows/pricing_plan/0"),
        (("rows", "accounts_customer", 0, "code"), "globex", "/customers/0"),
        (("rows", "accounts_customer", 0, "program"), "other", "/program"),
    ],
)
def test_rows_that_no_table_would_take_are_pointed_at(
    company: Company, made: ReplaySetVersion, path: tuple[Any, ...], value: Any, pointer: str
) -> None:
    content = sets.content_of(made)
    place: Any = content["steps"][0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ContentInvalidError) as refused:
        sets.check_upload(contents.canonical_text(content))
    assert refused.value.problems()[0]["pointer"] == pointer


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ContentInvalidError):
        sets.check_upload(b"{")


def test_customers_without_a_closed_period_make_no_set(company: Company) -> None:
    billing.make_customer("fresh")
    with pytest.raises(history.NothingClosedError):
        make(company, customer_codes=["fresh"])
    with pytest.raises(InvalidInputError, match="nobody-at-all"):
        make(company, customer_codes=["nobody-at-all"])


def test_only_those_who_price_or_build_make_sets_and_only_pricing_requires_them(
    company: Company, made: ReplaySetVersion
) -> None:
    with pytest.raises(NotAllowedError):
        make(company, name="other", actor=billing.person("olga", "ops"))
    with pytest.raises(NotAllowedError):
        require(company, actor=company.meter.owner)


def test_contents_runs_and_requirements_never_change(company: Company, made: ReplaySetVersion) -> None:
    ended = carry_out(company)
    requirement = require(company)
    for rows, change in (
        (ReplaySetVersion.objects.filter(pk=made.pk), {"content_hash": "0" * 64}),
        (ReplayRequirement.objects.filter(pk=requirement.pk), {"is_required": False}),
        (ReplayRun.objects.filter(pk=ended.pk), {"verdict": "failed"}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.delete()
    assert [list(one.find_offenders()) for one in invariants.INVARIANTS] == [[], [], [], [], []]


def test_a_set_that_shows_everything_is_required_without_a_word(company: Company, made: ReplaySetVersion) -> None:
    require(company)
    assert [str(one) for one in queries.required_sets("standard")] == ["autumn"]
    assert queries.required_sets("other") == []


def test_what_the_required_sets_do_not_show_takes_a_statement(company: Company) -> None:
    make(company, "october", until=billing.NOVEMBER)
    with pytest.raises(sets.NotCoveredError, match="no late arrivals, no plan changes"):
        require(company, "october")
    assert require(company, "october", statement=ENOUGH).audit_entry.facts["missing"] == [
        "late arrivals",
        "plan changes",
    ]


def test_what_is_no_longer_required_takes_a_reason(company: Company, made: ReplaySetVersion) -> None:
    require(company)
    with pytest.raises(InvalidInputError):
        require(company, is_required=False)
    require(company, is_required=False, statement="Its prices are gone since May.")
    assert queries.required_sets() == []


def test_without_required_sets_nothing_is_asked(company: Company, made: ReplaySetVersion) -> None:
    assert approve(replayed.propose_dearer()).status == "approved"


def test_a_required_set_that_never_ran_stands_in_the_way(company: Company, made: ReplaySetVersion) -> None:
    require(company)
    price = replayed.propose_dearer()
    with pytest.raises(NotYetError) as refused:
        approve(price)
    [refusal] = refused.value.refusals
    assert (refusal.code, refusal.sentence) == ("replay_missing", "Replay set autumn was never run.")
    assert "manage.py replay autumn" in refusal.remedy
    assert refusal.link == f"/admin/replay/replayset/{made.replay_set_id}/change/"
    price.refresh_from_db()
    assert price.status == "proposed"


def test_a_price_counts_once_the_set_ran_with_it(company: Company, made: ReplaySetVersion) -> None:
    require(company)
    price = replayed.propose_dearer()
    carry_out(company)
    assert refusal_of(price).code == "replay_without_it"
    assert f"--with price_version:{price.pk}" in refusal_of(price).remedy
    carry_out(company, with_version=price)
    assert approve(price).status == "approved"


def test_a_run_from_before_the_price_was_written_says_nothing_of_it(company: Company, made: ReplaySetVersion) -> None:
    require(company)
    price = replayed.propose_dearer()
    carry_out(company, at=price.created_at - timedelta(seconds=1))
    refusal = refusal_of(price)
    assert refusal.code == "replay_outdated"
    assert "last ran before that was written" in refusal.sentence


def test_a_set_that_differs_stands_in_the_way(
    company: Company, made: ReplaySetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(company)
    price = replayed.propose_dearer()

    def overcharge(result: dict[str, Any]) -> None:
        result["steps"][0]["documents"][0]["total"] = "99.00"

    as_expected.play_nothing(monkeypatch, overcharge)
    ended = carry_out(company, with_version=price)
    assert ended.verdict == "failed"
    assert [(one["what"], one["expected"], one["found"]) for one in ended.report["differences"]] == [
        ("total", "61.29", "99.00")
    ]
    assert refusal_of(price).code == "replay_failed"


def test_a_set_whose_content_changed_since_says_nothing(company: Company, made: ReplaySetVersion) -> None:
    require(company)
    price = replayed.propose_dearer()
    carry_out(company, with_version=price)
    make(company, until=billing.NOVEMBER)
    assert "was never run on its present content (autumn v2)" in refusal_of(price).sentence


def test_a_run_of_another_program_says_nothing(
    company: Company, made: ReplaySetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(company)
    carry_out(company)
    [state] = queries.required_sets_state("standard")
    assert (state.verdict, state.is_stale, state.holds) == ("passed", False, True)
    monkeypatch.setattr(queries.program_code, "hash_migrations", lambda: "0" * 64)
    [state] = queries.required_sets_state("standard")
    assert (state.verdict, state.is_stale) == ("passed", True)
    assert "another version of the program" in state.why


def test_contracts_and_policies_wait_as_well(company: Company, made: ReplaySetVersion) -> None:
    require(company)
    stricter = replayed.draft_stricter(company)
    policy = propose.propose_policy(
        program="standard", terms={}, effective_at=NOW, reason="as before", actor=company.meter.owner, at=NOW
    )
    elsewhere = propose.propose_policy(
        program="elsewhere", terms={}, effective_at=NOW, reason="another", actor=company.meter.owner, at=NOW
    )
    assert [refusal_of(one).code for one in (stricter, policy)] == ["replay_missing", "replay_missing"]
    assert activation.find_refusals(elsewhere, at=NOW) == []
    with pytest.raises(NotYetError):
        contracts.activate_version(version_id=stricter.pk, actor=company.meter.owner, at=NOW)


def test_a_version_has_to_have_a_place_in_the_set(company: Company, made: ReplaySetVersion) -> None:
    other = billing.make_plan("other", finance=company.finance, fee="5", meter=None)
    price = other.charges.get().price_versions.get()
    with pytest.raises(candidate.NotInSetError):
        run.write_down(name="autumn", orders=0, with_version=price, actor=company.finance, at=NOW)


def test_a_version_in_the_place_of_another_is_in_force_all_along(company: Company, made: ReplaySetVersion) -> None:
    price = replayed.propose_dearer()
    content = candidate.put_in_place(sets.content_of(made), price)
    rows = [row for step in content["steps"] for row in step["rows"].get("pricing_priceversion", [])]
    [own] = [row for row in rows if row["charge_id"] == price.charge_id]
    assert (own["id"], own["status"], own["decided_by_id"]) == (price.pk, "approved", None)
    assert own["effective_at"] == "2026-01-01T00:00:00+00:00"  # of the price whose place it takes
    assert len(rows) == len({row["charge_id"] for row in rows})


def test_a_run_goes_on_after_the_plays_that_it_has(company: Company, made: ReplaySetVersion) -> None:
    asked = run.write_down(name="autumn", orders=2, with_version=replayed.propose_dearer(), actor=None, at=NOW)
    for count in (1, 2, 3):
        left = run.carry_out(run_id=asked.pk, clock=lambda: NOW, is_over=lambda: True)
        assert (left.finished_at, left.plays.count(), left.done, left.total) == (None, count, 2 * count, 8)
    ended = run.carry_out(run_id=asked.pk, clock=lambda: NOW, is_over=lambda: True)
    assert (ended.verdict, ended.done, ended.report["orders"]["tried"]) == ("passed", 8, 2)
    kept = [(one.what, one.seed, one.content is None) for one in ended.plays.all()]
    assert kept == [("first", 0, False), ("order", 1, True), ("order", 2, True), ("candidate", 0, False)]
    [every_order] = [one for one in invariants.INVARIANTS if "in every order that was asked" in one.name]
    assert every_order.find_offenders() == []
    tamper("DELETE FROM replay_replayplay WHERE seed = 2")
    assert len(every_order.find_offenders()) == 1


def test_an_order_that_gave_something_else_is_told_also_from_another_slice(
    company: Company, made: ReplaySetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = run.write_down(name="autumn", orders=2, with_version=None, actor=None, at=NOW)
    run.carry_out(run_id=asked.pk, clock=lambda: NOW, is_over=lambda: True)

    def overcharge(result: dict[str, Any]) -> None:
        result["steps"][0]["documents"][0]["total"] = "99.00"

    as_expected.play_nothing(monkeypatch, overcharge)
    run.carry_out(run_id=asked.pk, clock=lambda: NOW, is_over=lambda: True)
    as_expected.play_nothing(monkeypatch)
    ended = run.carry_out(run_id=asked.pk, clock=lambda: NOW)
    assert (ended.verdict, ended.report["differences"]) == ("failed", [])
    [(seed, [told])] = ended.report["orders"]["unequal"].items()
    assert (seed, told["what"], told["expected"], told["found"]) == ("1", "total", "61.29", "99.00")


def test_a_run_whose_program_changed_between_two_plays_is_broken(
    company: Company, made: ReplaySetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = run.write_down(name="autumn", orders=2, with_version=None, actor=None, at=NOW)
    run.carry_out(run_id=asked.pk, clock=lambda: NOW, is_over=lambda: True)
    monkeypatch.setattr(run.program_code, "hash_sources", lambda: "f" * 64)
    ended = run.carry_out(run_id=asked.pk, clock=lambda: NOW)
    assert (ended.verdict, ended.problem) == ("broken", "The program was changed while it ran; run the set again.")


def test_a_worker_takes_a_long_run_slice_by_slice(
    company: Company, made: ReplaySetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SLICE_SECONDS", -1)  # over before it begins: one play each
    asked = run.ask(name="autumn", orders=3, actor=company.finance, at=NOW)
    work.run_due_jobs(at=NOW)
    slices = Job.objects.filter(kind=run.RUN_JOB).order_by("pk").values_list("key", flat=True)
    assert list(slices) == [f"{asked.pk}, {count} plays" for count in range(4)]
    assert run.find_run(asked.pk).verdict == "passed"


def test_a_run_that_cannot_be_run_is_kept_with_the_reason(
    company: Company, made: ReplaySetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: Any, **_named: Any) -> Any:
        raise run.scratch.ScratchRefusedError("The role billing may not make databases.")

    monkeypatch.setattr(run.engine, "player", refuse)
    ended = carry_out(company)
    assert (ended.verdict, ended.problem) == ("broken", "The role billing may not make databases.")
    assert ended.finished_at == NOW
    assert run.carry_out(run_id=ended.pk, clock=timezone.now).finished_at == NOW
