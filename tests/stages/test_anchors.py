"""Signed heads and anchors outside: a tail cut off the chain is found, though nothing that is left is wrong."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pgtrigger
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.test import override_settings

from core import anchors, audit, canonical, heads, outbound
from core.anchors import AnchorError
from core.models import AuditAnchor, AuditEntry, AuditHead
from tests.builders.people import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "outside" / "audit.ndjson"
    with override_settings(AUDIT_ANCHOR_FILE=str(path)):
        yield path


def append(*numbers: int) -> list[AuditEntry]:
    facts = [audit.Fact(action="done", subject=f"thing:{number}", facts={"number": number}) for number in numbers]
    return audit.append_entries(facts, actor=None, at=NOW)


def tamper(statement: str) -> None:
    with pgtrigger.ignore(), connection.cursor() as cursor:
        cursor.execute(statement)


def flaws() -> list[str]:
    return list(anchors.find_flaws())


def test_a_link_can_be_checked_by_somebody_who_may_not_read_what_it_says() -> None:
    first, second = append(1, 2)
    assert second.form == 2
    assert second.content_hash == canonical.content_hash(audit.content_of(second))
    assert audit.link(first.entry_hash, second.content_hash) == second.entry_hash


def test_entries_of_the_older_form_still_verify_before_newer_ones() -> None:
    old = AuditEntry(
        id=1,
        reference="AUD-0000000001",
        action="done",
        subject="thing:1",
        facts={"number": 1},
        recorded_at=NOW,
        form=1,
        previous_hash=audit.GENESIS,
    )
    old.entry_hash = audit.entry_digest(old)
    old.save(force_insert=True)
    append(2)
    assert audit.find_first_broken_entry() is None
    tamper("UPDATE core_auditentry SET form = 2 WHERE id = 1")
    found = audit.find_first_broken_entry()
    assert found is not None
    assert found.pk == 1


def test_a_changed_content_hash_breaks_the_chain() -> None:
    append(1, 2)
    tamper("UPDATE core_auditentry SET content_hash = repeat('0', 64) WHERE id = 1")
    found = audit.find_first_broken_entry()
    assert found is not None
    assert found.pk == 1


def test_an_empty_chain_has_no_head() -> None:
    assert heads.sign_head(at=NOW) is None
    assert anchors.anchor_chain(at=NOW) == []


def test_a_head_is_signed_once_for_as_long_as_the_chain_goes_no_further() -> None:
    append(1, 2)
    first = heads.sign_head(at=NOW)
    again = heads.sign_head(at=NOW + timedelta(hours=1))
    assert first is not None
    assert first == again
    assert list(heads.find_flaws([heads.as_document(first)])) == []
    append(3)
    later = heads.sign_head(at=NOW + timedelta(hours=2))
    assert later is not None
    assert (first.number, later.number) == (2, 3)
    assert list(heads.find_flaws([heads.as_document(head) for head in AuditHead.objects.all()])) == []


@pytest.mark.parametrize("name", ["number", "entry_hash", "signed_at", "chain", "signature", "public_key"])
def test_no_word_of_a_head_can_be_changed(name: str) -> None:
    append(1, 2, 3)
    head = heads.sign_head(at=NOW)
    assert head is not None
    document = heads.as_document(head)
    other: dict[str, Any] = {"number": 2, "signed_at": "2026-11-25T12:00:00+00:00"}
    changed = document | {name: other.get(name, "ab" * (len(str(document[name])) // 2))}
    (flaw,) = heads.find_flaws([changed])
    assert "its signature is not of these words" in flaw


def test_a_tail_that_was_cut_is_found_by_the_head_inside_and_by_the_anchor_outside(place: Path) -> None:
    append(1, 2, 3)
    (anchor,) = anchors.anchor_chain(at=NOW)
    assert (anchor.head.number, flaws()) == (3, [])
    tamper("DELETE FROM core_auditentry WHERE id = 3")
    assert audit.find_first_broken_entry() is None
    assert list(heads.find_flaws([heads.as_document(anchor.head)])) == [
        "the head of entry 3: the chain ends at entry 2; its tail is missing"
    ]
    tamper("DELETE FROM core_auditanchor; DELETE FROM core_audithead")  # whoever cuts the chain cuts these too
    (found,) = flaws()
    assert "the chain ends at entry 2; its tail is missing" in found


def test_a_chain_that_was_made_anew_is_not_the_one_that_was_anchored(place: Path) -> None:
    append(1, 2)
    anchors.anchor_chain(at=NOW)
    tamper("DELETE FROM core_auditanchor; DELETE FROM core_audithead; DELETE FROM core_auditentry")
    append(7, 8, 9)
    assert audit.find_first_broken_entry() is None
    (found,) = flaws()
    assert "it is of a chain that begins otherwise" in found


def test_an_entry_that_was_rewritten_with_all_that_follow_is_found(place: Path) -> None:
    append(1, 2, 3)
    anchors.anchor_chain(at=NOW)
    tamper("DELETE FROM core_auditentry WHERE id > 1")
    append(20, 30)
    assert audit.find_first_broken_entry() is None
    (found,) = flaws()
    assert "the head of entry 3: the entry there is another one" in found


def test_an_anchor_is_put_once_into_each_place_and_again_when_the_chain_has_grown(place: Path) -> None:
    append(1)
    assert len(anchors.anchor_chain(at=NOW)) == 1
    assert anchors.anchor_chain(at=NOW + timedelta(hours=1)) == []
    append(2)
    assert len(anchors.anchor_chain(at=NOW + timedelta(hours=2))) == 1
    assert [orjson.loads(line)["number"] for line in place.read_text().splitlines()] == [1, 2]


def test_a_file_of_anchors_that_is_gone_or_spoilt_is_said(place: Path) -> None:
    append(1)
    anchors.anchor_chain(at=NOW)
    text = place.read_text()
    place.write_text("not a head\n")
    assert "cannot be read" in flaws()[0]
    place.write_text(text.replace('"number":1', '"number":2'))
    assert "its signature is not of these words" in flaws()[0]
    place.unlink()
    assert "cannot be read: it is gone" in flaws()[0]


def test_letters_go_out_once_a_day(place: Path) -> None:
    with override_settings(AUDIT_ANCHOR_FILE="", AUDIT_ANCHOR_EMAIL="auditor@example.com"):
        append(1)
        anchors.anchor_chain(at=NOW)
        append(2)
        anchors.anchor_chain(at=NOW + timedelta(hours=2))
        assert [letter.to for letter in mail.outbox] == [["auditor@example.com"]]
        anchors.anchor_chain(at=NOW + timedelta(hours=21))
        assert len(mail.outbox) == 2
        line = str(mail.outbox[1].body).strip().splitlines()[-1]
        assert list(heads.find_flaws(anchors.read_lines(line))) == []


def test_an_object_store_is_given_each_head_and_asked_for_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, bytes] = {}

    def put(url: str, body: bytes, *, token: str) -> None:
        assert token == "let-me-in"
        kept[url] = body

    def get(url: str, *, token: str) -> bytes:
        assert token == "let-me-in"
        return kept[url]

    monkeypatch.setattr(outbound, "put", put)
    monkeypatch.setattr(outbound, "get", get)
    with override_settings(AUDIT_ANCHOR_URL="https://anchors.example.com/a/", AUDIT_ANCHOR_TOKEN="let-me-in"):
        append(1, 2)
        anchors.anchor_chain(at=NOW)
        assert sorted(kept) == [
            "https://anchors.example.com/a/000000000002.json",
            "https://anchors.example.com/a/head.json",
        ]
        assert flaws() == []
        tamper("DELETE FROM core_auditentry WHERE id = 2")
        assert "its tail is missing" in flaws()[0]


def test_a_place_that_fails_does_not_keep_the_head_from_the_others(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str, body: bytes, *, token: str) -> None:
        raise outbound.OutboundError("anchors.example.com answered 503.")

    monkeypatch.setattr(outbound, "put", refuse)
    append(1)
    with (
        override_settings(AUDIT_ANCHOR_URL="https://anchors.example.com/a"),
        pytest.raises(AnchorError, match="answered 503"),
    ):
        anchors.anchor_chain(at=NOW)
    assert [anchor.kind for anchor in AuditAnchor.objects.all()] == ["file"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM core_audithead",
        "UPDATE core_audithead SET number = 9",
        "TRUNCATE core_audithead CASCADE",
        "DELETE FROM core_auditanchor",
        "UPDATE core_auditanchor SET place = 'elsewhere'",
        "TRUNCATE core_auditanchor",
    ],
)
def test_the_database_refuses_to_change_what_was_signed(place: Path, statement: str) -> None:
    append(1)
    anchors.anchor_chain(at=NOW)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def run(*arguments: str) -> tuple[int, str]:
    page = io.StringIO()
    try:
        call_command("audit_anchor", *arguments, stdout=page)
    except SystemExit as ended:
        return int(ended.code or 0), page.getvalue()
    return 0, page.getvalue()


def test_the_command_anchors_and_checks_what_came_back(place: Path) -> None:
    append(1, 2)
    assert run() == (0, f"the chain up to entry 2 in {place}\n")
    assert run() == (0, "Every place has the present head already.\n")
    assert run("--check", str(place)) == (0, "The chain contains all 1 heads.\n")
    assert run("--key") == (0, f"{heads.public_key()}\n")
    tamper("DELETE FROM core_auditentry WHERE id = 2")
    code, told = run("--check", str(place))
    assert (code, "its tail is missing" in told) == (1, True)


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No place is configured"):
        run()
    (tmp_path / "x").write_text("[1]")
    for name in (str(tmp_path / "x"), str(tmp_path / "none")):
        with pytest.raises(CommandError, match="holds no heads"):
            run("--check", name)


@override_settings(AUDIT_SIGNING_KEY="ab" * 32)
def test_a_key_of_its_own_signs_where_one_is_set() -> None:
    append(1)
    head = heads.sign_head(at=NOW)
    assert head is not None
    with override_settings(AUDIT_SIGNING_KEY=""):
        other = heads.sign_head(at=NOW)
    assert other is not None
    assert head.public_key != other.public_key
    assert list(heads.find_flaws([heads.as_document(one) for one in (head, other)])) == []
