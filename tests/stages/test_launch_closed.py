"""The launch checklist where nothing is, where nobody asks for it, and where every box is closed."""

from datetime import timedelta

import pytest

from compliance.launch import check, go_live, tasks
from compliance.launch.models import GoLiveDecision
from core.activation import NotYetError
from core.models import Job
from tests.builders import billing, launch
from tests.builders.launch import CHECKED

pytestmark = pytest.mark.django_db


def test_in_an_empty_house_only_what_cannot_have_failed_is_closed() -> None:
    run = launch.run_check()
    found = launch.results(run)
    assert {box for box, result in found.items() if result.is_closed} == {"gates_rechecked", "invariants_clean"}
    assert found["policy_signed"].said == "No signed policy decides for standard, so nothing is invoiced there."
    assert all(result.remedy for result in found.values() if not result.is_closed)
    assert run.finished_at == CHECKED


def test_where_no_policy_asks_invoices_are_issued_and_no_check_runs_by_itself() -> None:
    company = billing.open_company()
    [issued] = billing.issue(company, [billing.billed_customer(company)])
    assert issued.status == "final"
    tasks.look_every_day()
    assert not Job.objects.filter(kind=check.JOB).exists()


def test_with_every_box_closed_a_program_goes_live_until_a_proof_is_too_old() -> None:
    launch.close_every_box(at=CHECKED)
    with pytest.raises(NotYetError, match=r"1 box of the launch checklist is open for standard: Invariants clean\."):
        decide(hours=24)
    decision = decide(hours=23)
    assert [one["state"] for one in decision.boxes] == ["closed"] * 9
    assert go_live.is_live("standard")
    assert decision.audit_entry.action == "launch.live"
    with pytest.raises(go_live.NothingDecidedError):
        decide(hours=23)


def decide(*, hours: int) -> GoLiveDecision:
    actor, at = billing.person("pia", "product"), CHECKED + timedelta(hours=hours)
    return go_live.decide(program="standard", outcome="live", reason="the pilot went well", actor=actor, at=at)
