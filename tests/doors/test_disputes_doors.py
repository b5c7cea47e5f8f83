"""Disputes over the API and in the back office."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from compliance.disputes import decide, keeping
from compliance.disputes.models import Dispute
from core import work
from tests.builders import disputes, people
from tests.builders.disputes import NOON

pytestmark = pytest.mark.django_db


def test_a_dispute_is_opened_worked_and_decided_over_the_api() -> None:
    desk = disputes.open_desk()
    ops = people.ApiClient(people.key_for(desk.ops))
    body = {"invoice": desk.invoice.pk, "line": 2, "reason": "price", "text": "Too dear."}
    made = ops.post("disputes", body, Idempotency_Key="d-1")
    assert made.status_code == 201, made.content
    again = ops.post("disputes", body, Idempotency_Key="d-1")
    assert again.json()["id"] == made.json()["id"]
    key = made.json()["id"]
    work.run_due_jobs(at=timezone.now() + timedelta(minutes=1))
    said = ops.get(f"disputes/{key}").json()
    assert (said["status"], said["path"], said["owner_role"], said["is_on_hold"]) == ("ops", "ops", "ops", False)
    assert said["evidence"][0]["first_break"] is None
    assert ops.post(f"disputes/{key}/assign", {"owner": "olga"}).json()["owner"] == "olga"
    held = ops.post(f"disputes/{key}/hold-collection", {"reason": "contested"}).json()
    assert held["is_on_hold"] is True
    assert ops.post(f"disputes/{key}/lift-collection", {"reason": "settled"}).json()["is_on_hold"] is False
    told = ops.post(f"disputes/{key}/messages", {"visibility": "internal", "text": "Hm."})
    assert told.status_code == 201
    assert ops.get(f"disputes/{key}/letter").status_code == 404
    done = ops.post(f"disputes/{key}/reject", {"answer": "It stands."}).json()
    assert (done["status"], done["outcome"]) == ("closed", "rejected")
    work.run_due_jobs(at=timezone.now() + timedelta(minutes=2))
    assert ops.get(f"disputes/{key}/letter").content.startswith(b"%PDF-")
    refused = ops.post(f"disputes/{key}/uphold", {"answer": "Or not."})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


def test_closing_over_the_api_ends_the_hold_that_the_dispute_placed_or_keeps_it_with_a_reason() -> None:
    desk = disputes.open_desk()
    ops = people.ApiClient(people.key_for(desk.ops))
    dispute = disputes.on_its_path(desk)
    nothing = ops.post(f"disputes/{dispute.pk}/reject", {"answer": "It stands.", "keep_hold": "They appeal."})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "no_hold_to_keep")
    ops.post(f"disputes/{dispute.pk}/hold-collection", {"reason": "contested"})
    done = ops.post(f"disputes/{dispute.pk}/reject", {"answer": "It stands.", "keep_hold": "They appeal."}).json()
    assert (done["is_on_hold"], done["holds"][0]["kept_by"], done["holds"][0]["kept_reason"]) == (
        True,
        "olga",
        "They appeal.",
    )
    assert done["holds"][0]["lifted_at"] is None


def test_the_dialog_asks_whether_to_keep_a_hold_only_where_the_dispute_placed_one() -> None:
    desk = disputes.open_desk()
    dispute = disputes.on_its_path(desk)
    client = Client()
    client.force_login(desk.ops)
    page = f"/admin/disputes/dispute/{dispute.pk}"
    asking = "Keep the hold on collection, because"
    assert asking not in client.get(f"{page}/withdraw/").content.decode()
    keeping.hold_collection(dispute_id=dispute.pk, reason="contested", actor=desk.ops, at=NOON)
    assert "until this dispute closes" in client.get(f"{page}/change/").content.decode()
    assert asking in client.get(f"{page}/withdraw/").content.decode()
    client.post(f"{page}/withdraw/", {"reason": "They called.", "keep_hold": "insolvent", "_form_submitted": "1"})
    shown = client.get(f"{page}/change/").content.decode()
    assert "kept by olga after this dispute: insolvent" in " ".join(shown.split())


def test_the_list_tells_what_is_overdue_and_refuses_filters_that_make_no_sense() -> None:
    desk = disputes.open_desk()
    late = disputes.contest(desk, at=timezone.now() - timedelta(hours=25))
    disputes.contest(desk, position=1, at=timezone.now())
    reader = people.ApiClient(people.key_for(desk.finance))
    assert [one["id"] for one in reader.get("disputes?overdue=true").json()["results"]] == [late.pk]
    assert len(reader.get("disputes?status=evidence&customer=acme").json()["results"]) == 2
    assert reader.get("disputes?status=angry").status_code == 422
    terms = reader.post("dispute-policies", {"decision_hours": 48, "reason": "faster"})
    assert (terms.status_code, terms.json()["version"]) == (201, 2)
    assert reader.post("dispute-policies", {"decision_hours": 0, "reason": "faster"}).status_code == 422


def test_the_desk_shows_what_is_open_with_whom_and_until_when() -> None:
    desk = disputes.open_desk()
    dispute = disputes.contest(desk, at=timezone.now() - timedelta(hours=25))
    client = Client()
    client.force_login(desk.ops)
    shown = client.get("/admin/disputes/dispute/?due=overdue").content.decode()
    assert "overdue by 1 h" in shown
    assert "anybody in ops" in shown
    page = client.get(f"/admin/disputes/dispute/{dispute.pk}/change/").content.decode()
    assert "This step is overdue by 1 h" in page
    work.run_due_jobs(at=timezone.now() + timedelta(minutes=1))
    client.post(f"/admin/disputes/dispute/{dispute.pk}/reject/", {"answer": "The bill stands.", "_form_submitted": "1"})
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome) == ("closed", "rejected")
    assert "Rejected" in client.get("/admin/disputes/dispute/?step=all").content.decode()


def test_the_page_of_a_broken_bill_shows_the_break_and_offers_no_rejection() -> None:
    desk = disputes.open_desk()
    disputes.break_the_chain()
    dispute = disputes.on_its_path(desk)
    client = Client()
    client.force_login(desk.ops)
    page = client.get(f"/admin/disputes/dispute/{dispute.pk}/change/").content.decode()
    assert "First step that differs" in page
    assert f"/admin/disputes/dispute/{dispute.pk}/uphold/" in page
    assert f"/admin/disputes/dispute/{dispute.pk}/reject/" not in page
    decide.uphold(dispute_id=dispute.pk, answer="You are right.", actor=desk.ops, at=NOON)
    page = client.get(f"/admin/disputes/dispute/{dispute.pk}/change/").content.decode()
    assert "Nothing is linked yet" in page
    assert Dispute.objects.get().owner_role == "finance"
