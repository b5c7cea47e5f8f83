"""What became of the money of an invoice is in its pack: holds on collection, credit notes, disputes, approvals."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from compliance.disputes import decide, keeping, rebuild
from compliance.evidence.pack import told
from compliance.evidence.pack.told import Told
from invoicing.cycle import collection, credit_note, finalize
from invoicing.cycle.models import Invoice
from invoicing.payments import record, refund, webhooks
from tests.builders import billing, disputes, forgery, pack_changes, packs
from tests.builders.disputes import NOON
from tests.builders.stripe_events import SECRET, body_of, event, signed

pytestmark = pytest.mark.django_db

AMONG_US = "They always complain in November."
ANSWER = "Every event is yours; the list is attached."
# What only the hashes hold: who and which, in words.
STATED = {"number", "document_type", "id"}


@pytest.fixture
def desk() -> disputes.Desk:
    """INV-000001 of 61.88 EUR, which took two people."""
    company = billing.open_company()
    billing.ask_for_two(company)
    draft = billing.billed_customer(company)
    for person in (company.finance, company.other_finance):
        billing.approve_by(person, draft)
    issued = finalize.finalize_invoice(invoice_id=draft.pk, actor=None, at=billing.CLOSING)
    return disputes.Desk(
        company=company,
        invoice=issued,
        ops=billing.person("olga", "ops"),
        engineer=billing.person("enza", "engineering"),
    )


def later(hours: int) -> Any:
    return NOON + timedelta(hours=hours)


def contest_and_reject(desk: disputes.Desk) -> None:
    """With a hold that ends with it; evidence was asked for twice."""
    dispute = disputes.on_its_path(desk)
    keeping.hold_collection(dispute_id=dispute.pk, reason="until we know", actor=desk.ops, at=later(1))
    rebuild.ask_again(dispute_id=dispute.pk, reason=AMONG_US, actor=desk.ops, at=later(2))
    disputes.run_jobs(at=later(3))
    decide.reject(dispute_id=dispute.pk, answer=ANSWER, actor=desk.ops, at=later(4))
    collection.hold_collection(invoice_id=desk.invoice.pk, reason="a court asks", actor=desk.ops, at=later(5))


def pay(desk: disputes.Desk) -> None:
    """A transfer of more than is due, of which some goes back; and a card, by Stripe, until its dispute is lost."""
    asked = desk.invoice
    given: dict[str, Any] = {"currency": "EUR", "actor": desk.finance, "method": "bank_transfer"}
    payment = record.record_payment(
        invoice=str(asked.number),
        amount=Decimal("40.00"),
        reference="Anna, October",
        fee=Decimal("0.35"),
        received_at=later(0),
        at=later(1),
        **given,
    )
    refund.refund_payment(
        payment_id=payment.pk,
        amount=Decimal("5.00"),
        happened_at=later(1),
        reason="too much",
        actor=desk.finance,
        at=later(1),
    )
    for number, kind in enumerate(
        ("payment_intent.succeeded", "charge.dispute.created", "charge.dispute.closed"), start=1
    ):
        sent = event(kind, id=f"evt_{number}", created=int(later(1).timestamp()) + number, invoice=asked.number)
        body = body_of(sent)
        webhooks.receive(header=signed(body, at=int(later(2).timestamp())), body=body, at=later(2))


def give_back(desk: disputes.Desk) -> Invoice:
    """2.00 of 3.00, by INV's first credit note."""
    tokens = desk.invoice.lines.get(meter_code="tokens")
    note = credit_note.ask_for_credit(
        invoice_id=desk.invoice.pk, reason="Goodwill.", amounts={tokens.pk: Decimal(2)}, actor=desk.finance, at=later(6)
    )
    billing.approve_by(desk.company.other_finance, note, at=later(6))
    return finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=later(6))


def test_a_pack_tells_what_is_held_given_back_and_contested(desk: disputes.Desk, tmp_path: Path) -> None:
    before = packs.verify_bare(packs.write_pack(packs.make_pack(desk.invoice), tmp_path))
    assert before.code == 0, before.text
    assert (
        "money: 61.88 EUR to be paid; holds on its collection: none, documents that correct it: none, disputes: none,"
        " payments: none, payouts: none" in before.text
    )
    assert "2 approvals" in before.text
    contest_and_reject(desk)
    give_back(desk)
    path = packs.write_pack(packs.make_pack(desk.invoice, at=later(7)), tmp_path)
    after = packs.verify_bare(path)
    assert (after.code, after.left_out) == (0, []), after.text
    assert "holds on its collection: 2, documents that correct it: 1, disputes: 1, payments: none" in after.text
    files = packs.contents(path)
    money = json.loads(files["money.json"])
    first, second = money["collection_holds"]
    assert (first["reason_in_words"].split(": ")[1], second["lifted_at"]) == ("until we know", None)
    assert first["lifting_reason"].endswith("is closed: rejected.")
    (dispute,) = money["disputes"]
    assert [(one["to"], one["outcome"]) for one in dispute["transitions"]] == [
        ("evidence", ""),
        ("ops", ""),
        ("evidence", ""),
        ("ops", ""),
        ("closed", "rejected"),
    ]
    assert dispute["transitions"][-1]["reason_in_words"] == ANSWER
    (note,) = money["corrected_by"]
    assert (note["status"], note["credits"][0]["amount"]) == ("final", "-2")
    kinds = json.loads(files["manifest.json"])["kinds"]
    assert {kind: kinds[kind] for kind in ("payments", "payouts", "disputes", "approvals", "source_events")} == {
        "payments": 0,
        "payouts": 0,
        "disputes": 1,
        "approvals": 2,
        "source_events": 2,
    }


def test_a_pack_tells_what_was_paid_and_what_became_of_it(desk: disputes.Desk, tmp_path: Path, settings: Any) -> None:
    """61.88 asked: 40.00 less 5.00 by transfer, 58.31 by card; lost in a dispute, it is no claim on the customer."""
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    pay(desk)
    path = packs.write_pack(packs.make_pack(desk.invoice, at=later(3)), tmp_path)
    told_ = packs.verify_bare(path)
    assert (told_.code, told_.left_out) == (0, []), told_.text
    assert "disputes: none, payments: 2, payouts: none" in told_.text
    files = packs.contents(path)
    money = json.loads(files["money.json"])
    transfer, card = money["payments"]
    assert [(one["step"], one["amount"], one["overpaid"]) for one in transfer["transitions"]] == [
        ("recorded", "0", "0"),
        ("settled", "40", "0"),
        ("refunded", "5", "0"),
    ]
    assert transfer["reference_in_words"] == "Anna, October"
    assert [(one["to"], one["event"]) for one in card["transitions"]] == [
        ("pending", "evt_1"),
        ("settled", "evt_1"),
        ("chargeback", "evt_2"),
        ("chargeback", "evt_3"),
    ]
    assert card["transitions"][1]["overpaid"] == "31.43"
    assert money["standing"] == {
        "asked": "61.88",
        "paid": "93.31",
        "credited": "0",
        "set_off": "0",
        "due": "0",
        "in_favour": "31.43",
    }
    assert json.loads(files["manifest.json"])["kinds"]["payments"] == 2
    assert b"Anna" not in files["chain.ndjson"]


def test_any_change_of_a_payment_is_found_even_if_all_hashes_fit(
    desk: disputes.Desk, tmp_path: Path, settings: Any
) -> None:
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    pay(desk)
    files = packs.contents(packs.write_pack(packs.make_pack(desk.invoice, at=later(3)), tmp_path))
    assert pack_changes.found_by_figures(files) is None
    document = pack_changes.documents(files)["money.json"]
    places = [place for place, _ in forgery.leaves(document) if {"payments", "standing"}.intersection(place)]
    assert len(places) > 100
    assert "\n".join(pack_changes.missed(files, "money.json", [place for place in places if place[-1] != "id"])) == ""
    for number in range(2):
        cut = pack_changes.documents(files)["money.json"]
        del cut["payments"][number]
        assert pack_changes.found_by_figures(files | {"money.json": pack_changes.write("money.json", cut)}) is not None
        cut = pack_changes.documents(files)["money.json"]
        del cut["payments"][number]["transitions"][-1]
        assert pack_changes.found_by_figures(files | {"money.json": pack_changes.write("money.json", cut)}) is not None


def test_what_stays_among_colleagues_and_what_a_customer_wrote_is_in_no_pack(
    desk: disputes.Desk, tmp_path: Path
) -> None:
    contest_and_reject(desk)
    whole = b"".join(packs.contents(packs.write_pack(packs.make_pack(desk.invoice, at=later(7)), tmp_path)).values())
    assert AMONG_US.encode() not in whole
    assert b"We did not use that much." not in whole
    assert ANSWER.encode() in whole


def test_any_change_of_what_is_told_of_the_money_is_found_even_if_all_hashes_fit(
    desk: disputes.Desk, tmp_path: Path
) -> None:
    contest_and_reject(desk)
    give_back(desk)
    files = packs.contents(packs.write_pack(packs.make_pack(desk.invoice, at=later(7)), tmp_path))
    assert pack_changes.found_by_figures(files) is None
    for name, part in (("money.json", None), ("decisions.json", "approvals")):
        document = pack_changes.documents(files)[name]
        places = [
            place
            for place, _ in forgery.leaves(document)
            if (part is None or part in place) and not is_among_us(document, place) and place[-1] not in STATED
        ]
        assert len(places) >= 12
        assert "\n".join(pack_changes.missed(files, name, places)) == ""
    for kind in ("collection_holds", "corrected_by", "disputes"):
        for number in range(len(pack_changes.documents(files)["money.json"][kind])):
            cut = pack_changes.documents(files)["money.json"]
            del cut[kind][number]
            changed = files | {"money.json": pack_changes.write("money.json", cut)}
            assert pack_changes.found_by_figures(changed) is not None, f"{kind} {number} taken out"


def is_among_us(document: Any, place: forgery.Place) -> bool:
    """Of such a move the chain shows the hash alone: who made it and when is not held by figures."""
    if "disputes" not in place or "transitions" not in place:
        return False
    move = document["disputes"][place[1]]["transitions"][place[3]]
    return "reason" not in move and place[-1] in ("by", "at", "audit_reference")


def test_only_known_kinds_are_told_and_each_once() -> None:
    for kind in ("disputes", "weather"):
        with pytest.raises(ValueError, match="is told already, or is no kind"):
            told.register_teller(kind=kind, teller=lambda _: Told([]))
