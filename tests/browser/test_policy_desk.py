"""A policy in a browser: proposed by a form, read in sentences beside the version before, signed."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from invoicing.policy.models import TriggerPolicy
from tests.builders import billing, off_cycle, people
from tests.builders.billing import OCTOBER
from tests.builders.browsing import enter, show

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_finance_proposes_by_a_form_and_ops_signs_what_it_reads(page: Page) -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"))
    enter(page, people.make_staff("fina", "finance"))
    page.goto("/admin/policy/triggerpolicy/")
    page.get_by_role("link", name=re.compile("Propose the next version$")).click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    show(page, "policy-form")
    dialog.get_by_label("When an invoice is made").select_option("hybrid")
    dialog.get_by_label("Inside the period, at unbilled usage of").fill("EUR 500.00")
    dialog.get_by_label("Two people approve above").fill("EUR 10000.00")
    dialog.get_by_label("A part of a period is charged").select_option("second")
    dialog.get_by_label("Reason").fill("large customers are billed earlier")
    dialog.get_by_role("button", name="Propose").click()
    expect(dialog).to_contain_text("Name who is eligible")
    show(page, "policy-form-problem")
    dialog.get_by_label("Eligible customers").fill("acme")
    with page.expect_navigation():
        dialog.get_by_role("button", name="Propose").click()
    policy = TriggerPolicy.objects.get(version=2)
    enter(page, people.make_staff("opal", "ops"))
    page.goto(f"/admin/policy/triggerpolicy/{policy.pk}/change/")
    expect(page.locator("#content-main")).to_contain_text("Whoever is named (customer acme) is also invoiced")
    expect(page.locator("#content-main")).to_contain_text("starter v1 charges a part of a period by local day")
    show(page, "policy-version")


def test_an_interim_invoice_says_what_brought_it(page: Page) -> None:
    company = billing.open_company()
    off_cycle.sign(off_cycle.threshold_terms("5.00"), since=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))
    third, fifth, sixth = (datetime(2026, 10, number, 8, tzinfo=UTC) for number in (3, 5, 6))
    billing.use("acme", ("e1", third, 2500), at=third)
    [interim] = off_cycle.look(fifth)
    enter(page, people.make_staff("fina", "finance"))
    page.goto(f"/admin/cycle/invoice/{interim.pk}/change/", wait_until="commit")  # its PDF is drawn meanwhile
    expect(page.locator("#content-main")).to_contain_text("5.00 EUR, where standard v2 says 5.00")
    show(page, "interim-invoice")
    off_cycle.issue(company, interim, at=sixth)
    billing.use("acme", ("e2", sixth, 500), at=sixth)
    billing.close_october()
    page.goto("/admin/cycle/invoice/?kind__exact=cycle")
    page.get_by_role("link", name=re.compile("Draft")).first.click()
    expect(page.locator("#content-main")).to_contain_text("less INV-000001, line 1")
    show(page, "whole-invoice")


def test_a_customer_without_a_policy_is_told_of(page: Page) -> None:
    billing.open_company()
    customer = billing.make_customer("acme", program="partners")
    enter(page, people.make_staff("fina", "finance"))
    page.goto(f"/admin/accounts/customer/{customer.pk}/change/")
    expect(page.get_by_text("No policy, no invoice.")).to_be_visible()
    show(page, "customer-without-policy")
