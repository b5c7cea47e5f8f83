"""The launch checklist by command, over HTTP and in the back office."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from compliance.launch import check, checklists, drill
from compliance.launch.models import (
    ChecklistVersion,
    GoLiveDecision,
    LaunchCheck,
    LaunchException,
    RestoreDrill,
    SampleWalk,
)
from tests.builders import billing, launch, people, replayed
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db


def api_as(role: str) -> ApiClient:
    return ApiClient(people.key_for(people.make_staff(f"api-{role}", role)))


def desk_as(role: str) -> Client:
    client = Client()
    client.force_login(people.make_staff(f"desk-{role}", role))
    return client


def lately() -> datetime:
    """The doors read the clock, so what is to count for them is of now."""
    return timezone.now() - timedelta(minutes=1)


def run(*arguments: str) -> tuple[int, str]:
    page = io.StringIO()
    try:
        call_command(*arguments, stdout=page)
    except SystemExit as ended:
        return int(ended.code or 0), page.getvalue()
    return 0, page.getvalue()


@pytest.fixture
def company() -> billing.Company:
    company = billing.open_company()
    billing.issue(company, [billing.billed_customer(company)])
    return company


class TestCommand:
    def test_it_ends_with_1_while_a_box_is_open_and_says_how_to_close_it(self, company: billing.Company) -> None:
        code, page = run("launch_check")
        assert code == 1
        words = " ".join(page.replace("│", " ").split())
        for text in ("Backup restored", "No backup was ever restored", "3 of 9 boxes are open.", "checklist version 1"):
            assert text in words, text
        code, page = run("launch_check", "--json")
        boxes = {one["box"]: one for one in json.loads(page)}
        assert (code, boxes["backup_restored"]["state"], boxes["books_tie"]["state"]) == (1, "open", "closed")
        assert boxes["backup_restored"]["remedy"].startswith("Run manage.py restore_drill")

    def test_it_ends_with_0_when_every_box_is_closed_and_shows_the_proofs(self) -> None:
        launch.close_every_box(at=lately())
        code, page = run("launch_check", "--proofs")
        assert (code, "Every box is closed." in page) == (0, True), page
        for text in ("signs-for-finance", "Lines walked: 7", "61.29"):
            assert text in page, text


class TestApi:
    def test_it_shows_every_box_with_proof_date_and_owner(self, company: billing.Company) -> None:
        before = api_as("auditor").get("launch").json()
        assert (before["is_closed"], before["check"]) == (False, None)
        assert {one["state"] for one in before["boxes"]} == {"not_checked"}
        launch.run_check(at=lately())
        found = ApiClient(people.key_for(people.make_staff("reads", "auditor"))).get("launch").json()
        boxes = {one["box"]: one for one in found["boxes"]}
        assert (found["is_closed"], found["checklist_version"]) == (False, 1)
        traced = boxes["last_close_traced"]
        assert (traced["state"], traced["owner"], traced["title"]) == (
            "closed",
            "finance",
            "Every line of the last close traced",
        )
        assert ["Lines walked", "2"] in traced["proof"]["facts"]
        assert len(traced["proof_hash"]) == 64
        assert traced["proved_at"] < traced["ages_at"]

    def test_a_check_is_asked_for_and_runs_later(self) -> None:
        answer = api_as("ops").post("launch")
        assert (answer.status_code, answer.json()["finished_at"]) == (202, None)
        assert api_as("finance").get("launch").json()["running"]["id"] == answer.json()["id"]
        assert api_as("auditor").post("launch").status_code == 403

    def test_one_box_is_looked_at_again(self, company: billing.Company) -> None:
        refused = api_as("ops").post("launch", {"box": "backup_restored"})
        assert (refused.status_code, refused.json()["code"]) == (409, "launch_not_checked")
        launch.run_check(at=lately())
        launch.keep_drill(at=lately())
        asked = api_as("finance").post("launch", {"box": "backup_restored"}).json()
        assert (asked["only"], asked["finished_at"]) == ("backup_restored", None)
        check.go_on(run_id=asked["id"], at=timezone.now())
        boxes = {one["box"]: one for one in api_as("auditor").get("launch").json()["boxes"]}
        assert (boxes["backup_restored"]["state"], boxes["backup_restored"]["owner"]) == ("closed", "ops")
        bad = api_as("product").post("launch", {"box": "sunshine"})
        assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/box")
        assert api_as("engineering").post("launch", {"box": "backup_restored"}).status_code == 202
        assert (
            ApiClient(people.key_for(people.make_staff("reader", "auditor")))
            .post("launch", {"box": "backup_restored"})
            .status_code
            == 403
        )

    def test_rules_are_proposed_by_one_and_approved_by_another(self) -> None:
        ops, finance = api_as("ops"), api_as("finance")
        terms = {"books_tie": {"max_age_hours": 1, "owner": "finance"}}
        bad = ops.post("launch/checklists", {"terms": {"sunshine": {}}, "reason": "x"})
        assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/terms/sunshine")
        made = ops.post("launch/checklists", {"terms": terms, "reason": "hourly"}).json()
        assert (made["version"], made["counts"], made["approved_by"]) == (2, False, None)
        assert ops.post("launch/checklists/2/approve").status_code == 403
        approved = finance.post("launch/checklists/2/approve").json()
        assert (approved["counts"], approved["approved_by"]) == (True, "api-finance")
        assert finance.post("launch/checklists/2/approve").json()["code"] == "checklist_decided"
        assert [one["version"] for one in finance.get("launch/checklists").json()["results"]] == [2, 1]


class TestBackOffice:
    def test_the_board_says_what_is_open_how_to_close_it_and_what_was_looked_at(self, company: billing.Company) -> None:
        desk = desk_as("ops")
        board = reverse("admin:launch_launchcheck_board")
        assert "No check was run yet." in desk.get(board).content.decode()
        asked = desk.post(reverse("admin:launch_launchcheck_ask"))
        assert asked["Location"] == board
        assert "A check is running" in desk.get(board).content.decode()
        check.go_on(run_id=LaunchCheck.objects.get().pk, at=LaunchCheck.objects.get().asked_at)
        page = desk.get(board).content.decode()
        for text in ("3 of 9 boxes are open.", "How to close it:", "restore_drill", "signs-for-ops", "Lines walked"):
            assert text in page, text

    def test_one_box_is_looked_at_again_from_the_board(self, company: billing.Company) -> None:
        launch.run_check(at=lately())
        launch.keep_drill(at=lately())
        desk, board = desk_as("ops"), reverse("admin:launch_launchcheck_board")
        assert 'name="box" value="backup_restored"' in desk.get(board).content.decode()
        assert 'name="box"' not in desk_as("auditor").get(board).content.decode()
        desk.post(reverse("admin:launch_launchcheck_ask"), {"box": "backup_restored"})
        page = desk.get(board).content.decode()
        assert "Backup restored: looked at again." in page
        assert 'name="box" value="backup_restored"' not in page
        assert 'name="box" value="books_tie"' in page
        check.go_on(run_id=LaunchCheck.objects.get(only="backup_restored").pk, at=timezone.now())
        assert "2 of 9 boxes are open." in desk.get(board).content.decode()

    def test_rules_are_proposed_and_approved_in_dialogs(self) -> None:
        dialog = reverse("admin:launch_checklistversion_propose_next")
        terms = {"books_tie": {"max_age_hours": 1, "owner": "finance"}}
        given = {"_form_submitted": "True", "terms": json.dumps(terms), "reason": "hourly"}
        assert desk_as("ops").post(dialog, given)["HX-Redirect"]
        finance = desk_as("finance")
        version = ChecklistVersion.objects.get(version=2)
        page = reverse("admin:launch_checklistversion_change", args=[version.pk])
        assert "168 hours, finance" in finance.get(page).content.decode()
        approve = reverse("admin:launch_checklistversion_approve_it", args=[version.pk])
        finance.post(approve, {"_form_submitted": "True"})
        assert checklists.in_force() == version


@pytest.mark.django_db(transaction=True)
class TestRestoreDrill:
    """A backup of the test's own database, really restored and searched by a process of its own."""

    @pytest.mark.nightly  # a whole database restored, and a second process over it
    def test_a_backup_is_restored_searched_and_recorded(self) -> None:
        company = billing.open_company()
        billing.issue(company, [billing.billed_customer(company)])
        code, page = run("restore_drill")
        kept = RestoreDrill.objects.get()
        assert (code, kept.flaws, kept.is_fresh) == (0, [], True)
        assert kept.figures["cycle_invoice"] == [1, 1]
        assert kept.figures["metering_usageevent"] == [2, 2]
        assert len(kept.invariants) > 30
        assert "cycle_invoiceline: 2 rows restored, 2 live" in page
        assert "The backup is sound." in page

    def test_what_is_no_backup_is_refused_and_recorded_as_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "broken.dump"
        file.write_bytes(b"PGDMP, but no more")
        with pytest.raises(CommandError, match="pg_restore failed"):
            call_command("restore_drill", "--file", str(file))
        assert not RestoreDrill.objects.exists()


def test_a_backup_of_another_chain_or_with_an_offence_is_not_sound() -> None:
    broken = [{"number": 5, "name": "a batch adds up", "count": 2, "offenders": ["batch 1", "batch 2"]}]
    seen = drill.Seen(rows={}, last_entry=(1, "f" * 64), invariants=broken)
    assert list(drill.find_flaws(seen)) == [
        "In the restored database an invariant does not hold: a batch adds up.",
        "Entry 1 of the restored audit chain is not that of the live one.",
    ]
    assert list(drill.find_flaws(drill.Seen(rows={}, last_entry=None, invariants=[]))) == [
        "The restored database has no audit chain."
    ]


class TestSamples:
    def test_a_sample_is_walked_and_accepted_over_http(self) -> None:
        document = replayed.bill_two_months(replayed.open_company())[1]
        body = {"program": "standard", "kind": "late_event", "invoice": str(document.pk)}
        made = api_as("engineering").post("launch/samples", body)
        assert (made.status_code, made.json()["missing_roles"]) == (201, ["product", "finance", "ops"])
        address = f"launch/samples/{made.json()['id']}"
        accepted = api_as("ops").post(
            f"{address}/accept", {"role": "ops", "proof_hash": made.json()["proof_hash"], "comment": "as agreed"}
        )
        assert accepted.json()["missing_roles"] == ["product", "finance"]
        read = api_as("auditor").get(address).json()
        assert [one["person"] for one in read["acceptances"]] == ["api-ops"]
        bad = api_as("product").post("launch/samples", {**body, "invoice": "1"})
        assert (bad.status_code, bad.json()["code"]) in {(404, "not_found"), (422, "sample_shows_nothing")}

    def test_a_sample_is_walked_and_accepted_in_dialogs(self) -> None:
        document = replayed.bill_two_months(replayed.open_company())[1]
        walk = reverse("admin:launch_samplewalk_walk_another")
        given = {"program": "standard", "kind": "mid_cycle_change", "invoice": str(document.pk)}
        desk_as("ops").post(walk, {"_form_submitted": "True", **given})
        sample = SampleWalk.objects.get()
        finance = desk_as("finance")
        finance.post(
            reverse("admin:launch_samplewalk_accept_it", args=[sample.pk]),
            {"_form_submitted": "True", "role": "finance", "proof_hash": sample.proof_hash, "comment": "as agreed"},
        )
        page = finance.get(reverse("admin:launch_samplewalk_change", args=[sample.pk])).content.decode()
        for text in ("desk-finance", "as agreed", "a change inside the period", "59.62 EUR", "down to its events"):
            assert text in page, text


class TestDecisions:
    def test_open_boxes_refuse_a_launch_over_http_until_two_people_sign(self, company: billing.Company) -> None:
        launch.run_check(at=lately())
        product, finance, ops = (api_as(role) for role in ("product", "finance", "ops"))
        asked = {"program": "standard", "outcome": "live", "reason": "the pilot went well"}
        refused = product.post("launch/go-lives", asked)
        assert (refused.status_code, refused.json()["code"]) == (409, "activation_refused")
        assert refused.json()["errors"][0]["link"] == "/admin/launch/launchcheck/board/"
        open_boxes = ["replay_stable", "samples_accepted", "backup_restored"]
        ends_at = (timezone.now() + timedelta(days=3)).isoformat()
        body = {"program": "standard", "boxes": open_boxes, "reason": "drill on Friday", "ends_at": ends_at}
        made = product.post("launch/exceptions", body).json()
        assert made["missing_roles"] == ["finance", "ops"]
        for api, role in ((finance, "finance"), (ops, "ops")):
            given = {"role": role, "content_hash": made["content_hash"]}
            answer = api.post(f"launch/exceptions/{made['id']}/sign", given)
            assert answer.status_code == 200
        live = product.post("launch/go-lives", asked)
        assert (live.status_code, live.json()["outcome"], len(live.json()["boxes"])) == (201, "live", 9)
        assert [one["program"] for one in product.get("launch/go-lives").json()["results"]] == ["standard"]
        assert product.post("launch/exceptions", {**body, "boxes": ["sunshine"]}).status_code == 422

    def test_open_boxes_refuse_a_launch_in_the_back_office_until_two_people_sign(
        self, company: billing.Company
    ) -> None:
        launch.run_check(at=lately())
        desks = {role: desk_as(role) for role in ("product", "finance", "ops")}
        form = {"_form_submitted": "True", "program": "standard", "reason": "the pilot went well"}
        decide = reverse("admin:launch_golivedecision_decide_now")
        answer = desks["product"].post(decide, {**form, "outcome": "live"})
        page = desks["product"].get(answer["HX-Redirect"]).content.decode()
        assert "Going live waits, for 3 boxes of the launch checklist are open for standard" in page
        open_boxes = ["replay_stable", "samples_accepted", "backup_restored"]
        ends_at = f"{timezone.now() + timedelta(days=3):%Y-%m-%d %H:%M}"
        propose = reverse("admin:launch_launchexception_propose_one")
        desks["product"].post(propose, {**form, "boxes": open_boxes, "ends_at": ends_at})
        asked = LaunchException.objects.get()
        for role in ("finance", "ops"):
            sign = reverse("admin:launch_launchexception_sign_it", args=[asked.pk])
            signed = {"_form_submitted": "True", "role": role, "content_hash": asked.content_hash}
            desks[role].post(sign, signed)
        page = desks["ops"].get(reverse("admin:launch_launchexception_change", args=[asked.pk])).content.decode()
        assert all(words in page for words in ("Counts", "desk-finance", "desk-ops", "Backup restored"))
        desks["product"].post(decide, {**form, "outcome": "live"})
        decision = GoLiveDecision.objects.get()
        page = desks["ops"].get(reverse("admin:launch_golivedecision_change", args=[decision.pk])).content.decode()
        assert all(words in page for words in (f"exception {asked.pk}", "the pilot went well", "Backup restored"))
