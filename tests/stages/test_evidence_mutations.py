"""Whatever is changed in a pack is found: any byte, and any figure even where every hash and the seal are made anew."""

import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from invoicing.cycle import hold, pdf
from invoicing.cycle.models import Invoice
from invoicing.documents import store
from invoicing.pricing import invoice_terms, subscribe
from metering import ingest
from tests.builders import billing, forgery, pack_changes, packs
from tests.builders.billing import CLOSING, LONG_AGO, NEXT_CLOSING, NOVEMBER, day
from tests.builders.pack_changes import found

pytestmark = pytest.mark.django_db

BYTES, FIGURES, EVERY = 300, 700, 20  # every 20th is forged as a whole pack
TIERS = {
    "tiers": [
        {"up_to": "100", "unit_amount": "0.05", "flat_amount": "1"},
        {"up_to": None, "unit_amount": "0.012345", "flat_amount": "7.5"},
    ]
}
EACH = {"rate_percent": "2.9", "free_events": 1, "per_transaction_min": "0.5", "per_transaction_max": "40"}


def agree_on_prices(company: billing.Company) -> None:
    """Tiers from the middle of November, a price by event, a minimum, and two terms of the whole invoice."""
    finance = company.finance
    images = billing.make_meter("images", event_type="image", owner=company.meter.owner)
    billing.set_price(company.plan, meter=images, model="percentage", params=EACH, finance=finance)
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="graduated",
        params=TIERS,
        effective_at=datetime(2026, 11, 16, tzinfo=UTC),
        finance=finance,
    )
    params = {"minimum_amount": "900"}
    billing.set_price(company.plan, charge="pledge", model="commitment", params=params, finance=finance)
    for one in (
        {"code": "discount", "kind": "allowance", "reason": "Partner discount", "percent": Decimal(10)},
        {"code": "rounding", "kind": "rounding", "reason": "Whole euros", "amount": Decimal(1)},
    ):
        proposed = invoice_terms.propose_invoice_term(
            subject=company.plan,
            **one,  # type: ignore[arg-type]
            effective_at=LONG_AGO,
            actor=billing.person("pia", "product"),
            at=LONG_AGO,
        )
        invoice_terms.approve_invoice_term(pk=proposed.pk, actor=billing.approver(), at=LONG_AGO)


@pytest.fixture
def invoice(tmp_path: Path) -> Invoice:
    """November of acme: usage in tiers and by event, seats of a fee, a minimum, terms, and a correction of October."""
    company = billing.open_company()
    agree_on_prices(company)
    billing.issue(company, [billing.billed_customer(company)])
    billing.use("acme", ("n1", day(3, month=11), Decimal("70.25")), ("n2", day(20, month=11), 900), at=NEXT_CLOSING)
    sizes = [
        ("i1", day(4, month=11), 20),
        ("i2", day(5, month=11), 2000),
        ("i3", day(6, month=11), 500),
        ("i4", day(7, month=11), 7),
    ]
    billing.use("acme", *sizes, event_type="image", at=NEXT_CLOSING)
    late = {"specversion": "1.0", "source": "/meter/acme", "type": "usage", "subject": "acme"}
    sent: list[dict[str, Any]] = [
        {**late, "id": "late", "time": day(9).isoformat(), "data": {"units": 3000}},
        {**late, "id": "x1", "time": day(9, month=11).isoformat(), "corrects": "e1", "correction": "cancel"},
    ]
    assert ingest.capture_events(sent, channel="http", origin="test", at=NEXT_CLOSING).accepted == 2
    billing.close_november()
    november = Invoice.objects.get(period_start=billing.NOVEMBER)
    hold.hold_invoice(invoice_id=november.pk, reason="look closer", actor=company.finance, at=NEXT_CLOSING)
    hold.release_invoice(invoice_id=november.pk, reason="it is right", actor=company.other_finance, at=NEXT_CLOSING)
    november.refresh_from_db()
    (final,) = billing.issue(company, [november], at=NEXT_CLOSING)
    key, kind = pdf.document_key(final.pk), "invoice_pdf"
    store.store_document(key=key, kind=kind, content=b"%PDF-1.7 of the invoice", at=NEXT_CLOSING)
    return final


@pytest.fixture
def pack(invoice: Invoice, tmp_path: Path) -> Path:
    path = packs.write_pack(packs.make_pack(invoice, at=NEXT_CLOSING), tmp_path)
    assert found(path) is None
    return path


def test_any_byte_that_is_changed_is_found(pack: Path) -> None:
    whole = pack.read_bytes()
    dice = random.Random(20261126)  # noqa: S311  repeatable
    places = (
        {dice.randrange(len(whole)) for _ in range(BYTES)} | set(range(64)) | set(range(len(whole) - 64, len(whole)))
    )
    changed = pack.with_name("changed.zip")
    for place in sorted(places):
        other = whole[place] ^ dice.choice([1, 2, 4, 8, 16, 32, 64, 128])
        changed.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        assert found(changed) is not None, f"byte {place}"
    for cut in (whole[:-1], whole + b"\0", whole[:100] + whole[101:], b"", b"\0" + whole):
        changed.write_bytes(cut)
        assert found(changed) is not None


def test_a_file_that_is_added_or_taken_away_is_found(pack: Path) -> None:
    files = packs.contents(pack)
    for name in files:
        if name not in forgery.SEALED and name != "README.txt":
            rest = {each: content for each, content in files.items() if each != name}
            if name not in ("verify.py", "people.json"):  # a forged manifest may do without these
                assert found(forgery.forge(rest, pack.with_name("less.zip"))) is not None, name


def test_a_pack_of_another_format_is_left_to_the_verifier_inside_it(pack: Path) -> None:
    files = packs.contents(pack)
    older = json.loads(files["manifest.json"]) | {"format": "billing-ops evidence 1"}
    said = found(forgery.forge(files | {"manifest.json": json.dumps(older).encode()}, pack.with_name("older.zip")))
    assert said is not None
    assert "use the verify.py inside the pack" in said


def test_a_pack_that_is_only_put_together_again_still_holds(pack: Path) -> None:
    """So what the next test finds are the changes, not the forgery itself."""
    assert found(forgery.forge(packs.contents(pack), pack.with_name("forged.zip"))) is None


@pytest.fixture
def unused(tmp_path: Path) -> Path:
    """The pack of November of acme: of a fee in advance 10 days of 30 were used, the plan and its end agreed since."""
    company = billing.open_company()
    for code, fee in (("ahead", "31.00"), ("behind", "62.00")):
        plan = billing.make_plan(code, finance=company.finance, fee=None, meter=None)
        params = {"amount": fee, "billed": "in_advance"}
        billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
        if code == "ahead":
            subscription = billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    since, until = day(11, month=11), day(21, month=11)
    who: dict[str, Any] = {"actor": company.finance, "at": CLOSING}
    subscribe.change_plan(subscription=subscription, plan=plan, effective_at=since, **who)
    subscribe.end_subscription(subscription=subscription, ends_at=until, **who)
    billing.close_november()
    path = packs.write_pack(packs.make_pack(Invoice.objects.get(period_start=NOVEMBER), at=NEXT_CLOSING), tmp_path)
    assert found(path) is None
    return path


def test_any_change_of_what_was_agreed_about_plans_is_found_even_if_all_hashes_fit(unused: Path) -> None:
    files = packs.contents(unused)
    told = pack_changes.documents(files)["prices.json"]
    places = [place for place, _ in forgery.leaves(told) if "agreed" in place]
    assert len(places) == 3 * 5 - 1  # an end names no plan
    places = [one for one in places if one[-2:] != (0, "recorded_at")]  # the start is older than the chain in it
    assert pack_changes.missed(files, "prices.json", places, times=3) == []
    for number in range(3):
        cut = json.loads(json.dumps(told))
        del cut["subscriptions"][0]["agreed"][number]
        changed = files | {"prices.json": pack_changes.write("prices.json", cut)}
        assert pack_changes.found_by_figures(changed) is not None, f"agreement {number} taken out"


def test_any_figure_that_is_changed_is_found_even_if_all_hashes_and_the_seal_fit(pack: Path) -> None:
    files = packs.contents(pack)
    assert pack_changes.found_by_figures(files) is None
    told, places = pack_changes.documents(files), pack_changes.figures(files)
    dice = random.Random(43)  # noqa: S311  repeatable
    missed, touched = [], set()
    for number in range(FIGURES):
        name, place, value = dice.choice(places)
        touched.add(name)
        other = forgery.change(value, dice)
        forgery.put(told[name], place, other)
        changed = files | {name: pack_changes.write(name, told[name])}
        forgery.put(told[name], place, value)
        flaw = pack_changes.found_by_figures(changed)
        if flaw is None:
            missed.append(f"{name} {place}: {value} → {other}")
        elif number % EVERY == 0:
            assert found(forgery.forge(changed, pack.with_name("forged.zip"))) is not None
    assert missed == []
    assert touched == told.keys(), "every file was changed"
