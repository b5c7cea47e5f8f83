"""Ops at work in a real browser: a gate is decided in its dialog, and a batch is released after a look at it."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance.payouts.models import GateDecision, Payout, PayoutBatch, ReleaseDecision
from tests.builders import payouts
from tests.builders.browsing import enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def press(page: Page, name: str) -> None:
    """The button of a decision at the top of the page; its accessible name begins with that of its icon."""
    page.get_by_role("link", name=re.compile(f"(^| ){name}$")).click()
    expect(page.locator("#dialog")).to_be_visible()


def test_a_gate_is_approved_and_its_money_released(page: Page) -> None:
    now = timezone.now()
    desk = payouts.open_desk(gates=["kyc"], at=now)
    anna, bert = (payouts.payee(desk, code, at=now) for code in ("anna", "bert"))
    payouts.batch(desk, [payouts.payable(desk, payee, "1250.00", at=now) for payee in (anna, bert)], at=now)
    enter(page, desk.ops)
    page.goto("/admin/payouts/gatecheck/")
    page.get_by_role("link", name="Anna Example").click()
    press(page, "Approve")
    page.get_by_label("Reason").fill("passport and register extract seen")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Say what was looked at")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("passport and register extract seen")
    page.get_by_label("Evidence").fill("passport C01X00T47")
    with page.expect_navigation():
        page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("passport and register extract seen")).to_be_visible()
    assert GateDecision.objects.get().actor == desk.ops

    page.goto(f"/admin/payouts/payoutbatch/{PayoutBatch.objects.get().pk}/change/")
    expect(page.get_by_text("Would be released", exact=True)).to_be_visible()
    expect(page.get_by_text("KYC: not started")).to_be_visible()
    press(page, "Release")
    expect(page.get_by_text("1 payable would be released:")).to_be_visible()
    page.get_by_label("I have looked at").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Release").click()
    for decision in ReleaseDecision.objects.select_related("audit_entry"):
        expect(page.get_by_text(decision.audit_entry.reference).first).to_be_visible()
    assert Payout.objects.get().payable.payee == anna
