"""Replay sets at the shell, over HTTP and in the back office."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import work
from core.models import Job
from invoicing.replay import queries, sets
from invoicing.replay.models import ReplayRun, ReplaySet
from invoicing.replay.rules import content as contents
from tests.builders import as_expected, billing, replayed
from tests.builders.people import ApiClient, key_for

pytestmark = pytest.mark.django_db
HISTORY = {"name": "autumn", "from_history": {"customers": ["acme"]}}


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[billing.Company]:
    with replayed.lasting_world(django_db_blocker):
        company = replayed.open_company()
        replayed.bill_two_months(company)
        yield company


@pytest.fixture(autouse=True)
def nothing_played(company: billing.Company, monkeypatch: pytest.MonkeyPatch) -> None:
    as_expected.play_nothing(monkeypatch)


def overcharge(result: dict[str, Any]) -> None:
    line = next(line for line in result["steps"][0]["documents"][0]["lines"] if line["meter"])
    line |= {"quantity": "1200", "amount": "2.20"}
    del line["events"]["/meter/acme o2"]


def api(role: str = "finance") -> ApiClient:
    return ApiClient(key_for(billing.person(f"some-{role}", role)))


def signed_in(role: str = "finance") -> Client:
    client = Client()
    client.force_login(billing.person(f"some-{role}", role))
    return client


def command(*arguments: str) -> tuple[str, str, int]:
    """What it printed, what it complained of, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("replay", *arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        return out.getvalue(), err.getvalue(), int(stop.code or 0)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


def make_at_the_shell() -> None:
    printed, complaint, status = command("autumn", "--make-from-history", "--customer", "acme")
    assert (complaint, status) == ("", 0)
    assert "autumn v1: 12 events, 2 documents expected" in printed
    assert "late arrivals: 1" in printed


def test_a_set_is_made_run_and_listed_at_the_shell() -> None:
    make_at_the_shell()
    printed, _, status = command("autumn", "--shuffle", "2")
    assert status == 0
    assert "as expected" in printed
    assert "2 of 2 shuffled orders of arrival give the same, byte for byte" in printed
    printed, _, status = command()
    assert (status, "autumn v1" in printed, "passed" in printed) == (0, True, True)


def test_a_set_that_differs_exits_with_1_and_says_which_event(monkeypatch: pytest.MonkeyPatch) -> None:
    make_at_the_shell()
    as_expected.play_nothing(monkeypatch, overcharge)
    printed, _, status = command("autumn")
    assert status == 1
    words = " ".join(printed.replace("│", " ").split())
    assert "1500" in words
    assert "1200" in words
    assert "/meter/acme o2 is" in words


def test_a_price_is_tried_at_the_shell() -> None:
    make_at_the_shell()
    price = replayed.propose_dearer()
    printed, _, status = command("autumn", "--with", f"price_version:{price.pk}")
    assert status == 0
    assert "What it would change" in printed
    assert "120.91" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody",), "There is no replay set nobody."),
        (("autumn", "--with", "price"), "KIND:ID"),
        (("autumn", "--with", "colour:1"), "A replay takes one of"),
        (("autumn", "--shuffle", "1000"), "2 to 100"),
        (("autumn", "--shuffle", "1"), "2 to 100"),
        (("autumn", "--make-from-history", "--customer", "acme", "--shuffle", "1"), "2 to 100"),
        (("autumn", "--make-from-history"), "There is no customer"),
        (("autumn", "--make-from-history", "--customer", "acme", "--until", "May"), "no instant"),
        (("a name", "--make-from-history", "--customer", "acme"), ""),
        (("autumn", "--upload", "/nowhere"), "No such file"),
    ],
)
def test_what_makes_no_sense_exits_with_2(arguments: tuple[str, ...], words: str) -> None:
    if "--make-from-history" not in arguments:
        make_at_the_shell()
    _, complaint, status = command(*arguments)
    assert status == 2
    assert words in complaint


def test_a_set_goes_through_a_file(tmp_path: Path) -> None:
    make_at_the_shell()
    file = tmp_path / "set.json"
    assert command("autumn", "--export", str(file))[2] == 0
    content = json.loads(file.read_text())
    assert content["customers"] == ["acme"]
    assert command("copy", "--upload", str(file))[2] == 0
    del content["steps"][1]["draft"]["at"]
    file.write_text(json.dumps(content))
    _, complaint, status = command("copy", "--upload", str(file))
    assert (status, "/steps/1/draft" in complaint) == (2, True)


def test_a_set_is_made_run_and_read_over_http() -> None:
    finance = api()
    made = finance.post("replay/sets", {**HISTORY, "description": "Two months."})
    assert made.status_code == 201
    assert made.json()["includes"] == {
        "retries": 6,
        "retries_added": 6,
        "late_arrivals": 1,
        "plan_changes": 1,
        "threshold_crossings": 1,
    }
    assert (made.json()["verdict"], made.json()["why"]) == ("never run", "Replay set autumn was never run.")
    price = replayed.propose_dearer()
    body = {"orders": 2, "candidate": {"kind": "price_version", "id": price.pk}}
    asked = finance.post("replay/sets/autumn/runs", body)
    assert (asked.status_code, asked.json()["verdict"], asked.json()["report"]) == (202, "", None)
    work.run_due_jobs(at=timezone.now())
    ended = api("auditor").get(f"replay/runs/{asked.json()['id']}").json()
    assert (ended["verdict"], ended["done"], ended["total"]) == (
        "passed",
        8,
        8,
    )  # two steps: as it was, in two orders, and with the price
    assert ended["report"]["candidate"]["customers"] == [
        {"customer": "acme", "currency": "EUR", "before": "120.91", "after": "120.91", "change": "0"}
    ]
    assert [each["id"] for each in finance.get("replay/runs").json()["results"]] == [ended["id"]]
    found = finance.get("replay/sets/autumn").json()
    assert (found["verdict"], found["run"], found["is_stale"], found["is_required"]) == (
        "passed",
        ended["id"],
        False,
        False,
    )
    assert [each["name"] for each in finance.get("replay/sets").json()["results"]] == ["autumn"]


def test_content_goes_out_and_comes_back_over_http() -> None:
    finance = api()
    finance.post("replay/sets", HISTORY)
    content = finance.get("replay/sets/autumn/content").json()
    again = finance.post("replay/sets", {"name": "copy", "content": content})
    assert (again.status_code, again.json()["origin"]) == (201, "upload")
    content["steps"][0]["rows"]["pricing_plan"][0]["colour"] = "blue"
    refused = finance.post("replay/sets", {"name": "copy", "content": content})
    assert (refused.status_code, refused.json()["code"]) == (422, "replay_set_invalid")
    assert refused.json()["errors"][0]["pointer"] == "/steps/0/rows/pricing_plan/0"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("replay/sets", {"name": "autumn"}, 422),
        ("replay/sets", {"name": "two words", "from_history": {"customers": ["acme"]}}, 422),
        ("replay/sets", {"name": "autumn", "from_history": {"customers": ["nobody"]}}, 422),
        ("replay/sets/nobody/runs", {}, 404),
        ("replay/sets/nobody/require", {"is_required": True}, 404),
        ("replay/sets/nobody/runs", {"orders": 101}, 422),
        ("replay/sets/nobody/runs", {"candidate": {"kind": "price_version", "id": 99999}}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_over_http(path: str, body: Any, status: int) -> None:
    answer = api().post(path, body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_a_set_is_required_over_http() -> None:
    finance = api()
    finance.post("replay/sets", HISTORY)
    assert finance.post("replay/sets/autumn/require", {"is_required": True}).json()["is_required"] is True
    price = replayed.propose_dearer()
    refused = finance.post(f"price-versions/{price.pk}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "activation_refused")
    assert refused.json()["errors"][0]["code"] == "replay_missing"
    gone = {"is_required": False, "statement": "Its prices are gone."}
    assert finance.post("replay/sets/autumn/require", gone).json()["is_required"] is False
    assert finance.post(f"price-versions/{price.pk}/approve").status_code == 200


def test_the_page_of_a_set_shows_what_it_includes_and_lacks(company: billing.Company) -> None:
    sets.make_from_history(
        name="october",
        customer_codes=["acme"],
        until=billing.NOVEMBER,
        actor=company.finance,
        at=timezone.now(),
    )
    page = shown(signed_in("auditor"), "replay_replayset", ReplaySet.objects.get().pk)
    assert "Replay set october was never run." in page
    assert "none: the set lacks them" in page
    assert "3, all added by whoever made the set, not sent by anybody" in page
    assert "The retries in this set are added by us" in page
    assert "no late arrivals, no plan changes" in page
    assert "Close of 2 Nov 2026 08:00" in page


def test_the_page_of_a_run_shows_each_difference_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    make_at_the_shell()
    as_expected.play_nothing(monkeypatch, overcharge)
    price = replayed.propose_dearer()
    command("autumn", "--with", f"price_version:{price.pk}")
    page = shown(signed_in("auditor"), "replay_replayrun", ReplayRun.objects.get().pk)
    assert "It came out otherwise than expected." in page
    assert "/meter/acme o2 is missing (expected 300): accepted" in page
    assert "effects of this price" in page
    assert "120.91" in page


def test_the_page_of_a_run_that_was_given_up_says_so_and_how_to_go_on() -> None:
    make_at_the_shell()
    asked = api().post("replay/sets/autumn/runs", {"orders": 2}).json()["id"]
    jobs = Job.objects.filter(kind="replay_run")
    assert "A worker plays it in a database of its own" in shown(signed_in("auditor"), "replay_replayrun", asked)
    jobs.update(state="dead", finished_at=timezone.now(), last_error="The worker died.")
    page = shown(signed_in("auditor"), "replay_replayrun", asked)
    assert "It was given up after 0 of its steps. </strong> The worker died." in page.replace(
        ".</strong>", ". </strong>"
    )
    work.retry_dead_job(job_id=jobs.get().pk, at=timezone.now())
    work.run_due_jobs(at=timezone.now())
    assert ReplayRun.objects.get(pk=asked).verdict == "passed"


def test_a_set_is_made_run_required_and_released_by_dialogs() -> None:
    client = signed_in()
    submit(client, "replay_replayset_make", name="autumn", customers="acme")
    found = ReplaySet.objects.get()
    submit(client, "replay_replayset_run_it", found.pk, orders="2", kind="", number="")
    waiting = client.get(reverse("admin:replay_replayrun_change", args=[ReplayRun.objects.get().pk]))
    assert waiting.headers["Refresh"] == "3"
    work.run_due_jobs(at=timezone.now())
    assert ReplayRun.objects.get().verdict == "passed"
    submit(client, "replay_replayset_require_it", found.pk, statement="")
    assert queries.is_required(found)
    submit(client, "replay_replayset_release_it", found.pk, statement="Its prices are gone.")
    assert not queries.is_required(found)
    listed = client.get(reverse("admin:replay_replayset_changelist")).content.decode()
    assert "As expected" in listed


def test_runs_take_as_many_shuffled_orders_as_their_set_says() -> None:
    finance = api()
    assert finance.post("replay/sets", HISTORY).json()["orders"] == 20
    fewer = finance.post("replay/sets", {**HISTORY, "orders": 4}).json()
    assert (fewer["version"], fewer["orders"]) == (2, 4)  # the very same, but for its orders
    assert finance.post("replay/sets/autumn/runs", {}).json()["orders"] == 4
    assert finance.post("replay/sets/autumn/runs", {"orders": 3}).json()["orders"] == 3
    assert finance.post("replay/sets/autumn/runs", {"orders": 0}).json()["orders"] == 0
    refused = finance.post("replay/sets/autumn/runs", {"orders": 1})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/orders")
    assert finance.post("replay/sets", {**HISTORY, "orders": 1}).status_code == 422
    make = signed_in()
    submit(make, "replay_replayset_make", name="autumn", customers="acme", orders="5")
    submit(make, "replay_replayset_run_it", ReplaySet.objects.get().pk, orders="", kind="", number="")
    assert ReplayRun.objects.latest("pk").orders == 5
    printed, _, _ = command("autumn", "--make-from-history", "--customer", "acme", "--shuffle", "6")
    assert "runs take 6 shuffled orders of arrival" in printed


def test_a_set_is_uploaded_in_the_back_office_and_each_flaw_has_its_place() -> None:
    make_at_the_shell()
    content = contents.canonical_text(sets.content_of(queries.latest_version(ReplaySet.objects.get())))
    client = signed_in("engineering")
    kept = upload(client, content, name="copy", orders="2", description="The same again.")
    copy = ReplaySet.objects.get(name="copy")
    assert kept.headers["Location"] == reverse("admin:replay_replayset_change", args=[copy.pk])
    assert (copy.versions.get().origin, copy.versions.get().orders) == ("upload", 2)
    broken = json.loads(content)
    broken["steps"][0]["rows"]["pricing_plan"][0]["colour"] = "blue"
    broken["customers"] = ["globex"]
    page = " ".join(upload(client, json.dumps(broken).encode(), name="copy").content.decode().split())
    assert "Nothing was kept." in page
    assert "/steps/0/rows/pricing_plan/0" in page
    assert "No row of accounts_customer has the code globex." in page
    for sent, words in (
        (b"{", "Nothing was kept."),
        (b"\xff", "It is not UTF-8 (byte 0)."),
        (content, "The latest version of copy holds the very same; nothing was kept."),
    ):
        assert words in upload(client, sent, name="copy").content.decode()
    assert "This field is required" in upload(client, None, name="copy").content.decode()
    assert copy.versions.count() == 1


def test_a_version_that_is_not_there_is_said_in_the_dialog() -> None:
    make_at_the_shell()
    answer = submit(
        signed_in(), "replay_replayset_run_it", ReplaySet.objects.get().pk, orders="0", kind="policy", number="99999"
    )
    assert "There is no policy 99999." in answer.content.decode()
    assert not ReplayRun.objects.exists()


def upload(client: Client, content: bytes | None, **fields: str) -> Any:
    file = {} if content is None else {"file": SimpleUploadedFile("set.json", content)}
    return client.post(reverse("admin:replay_replayset_upload"), {**fields, **file})


def shown(client: Client, model: str, row: int) -> str:
    answer = client.get(reverse(f"admin:{model}_change", args=[row]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def submit(client: Client, dialog: str, row: int | None = None, /, **fields: Any) -> Any:
    url = reverse(f"admin:{dialog}", args=[] if row is None else [row])
    return client.post(url, {"_form_submitted": "True", **fields})
