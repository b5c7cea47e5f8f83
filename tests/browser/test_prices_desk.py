"""Product proposes a price, finance looks at what it would have cost, tries it by keyboard alone, and approves it."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from core import work
from invoicing.effects import moves
from invoicing.pricing import prices
from invoicing.pricing.models import PriceVersion
from tests.builders import billing
from tests.builders.browsing import show

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ANY_TIME = billing.DECEMBER.replace(year=2126)  # what a page queues is due now, whenever this runs
PASSWORD = "a long enough phrase"


@pytest.fixture
def company() -> billing.Company:
    """Three customers of 49.00 a month and 0.002 a token; acme used 1,500 in October, globex 10,000, quiet nothing."""
    company = billing.open_company()
    for user in (company.finance, billing.person("paula", "product")):
        user.set_password(PASSWORD)
        user.save()
    for code in ("acme", "globex", "quiet"):
        billing.subscribe_to(company, billing.make_customer(code))
    billing.use("acme", ("e1", billing.day(3), 1000), ("e2", billing.day(20), 500))
    billing.use("globex", ("e1", billing.day(5), 10_000))
    return company


@pytest.fixture
def proposed(company: billing.Company) -> PriceVersion:
    """Graduated from December on: 0.003 up to 5,000 tokens, 0.001 above."""
    tiers = [{"up_to": "5000", "unit_amount": "0.003"}, {"up_to": None, "unit_amount": "0.001"}]
    return prices.propose_price_version(
        charge=company.plan.charges.get(meter=company.meter),
        model="graduated",
        params={"tiers": tiers},
        effective_at=billing.DECEMBER,
        actor=User.objects.get(username="paula"),
        at=billing.CLOSING,
    )


def sign_in(page: Page, username: str) -> None:
    page.context.clear_cookies()
    page.goto("/admin/login/?next=/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Drafts to review")).to_be_visible()


def action(page: Page, name: str) -> Locator:
    """The button of a decision at the top of the page; its accessible name begins with that of its icon."""
    return page.get_by_role("link", name=re.compile(f"(^| ){name}$"))


def decide(page: Page, button: str) -> None:
    action(page, button).click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    with page.expect_navigation():
        dialog.get_by_role("button", name=button).click()


def test_a_price_is_compared_tried_by_keyboard_measured_and_approved(page: Page, proposed: PriceVersion) -> None:
    sign_in(page, "fiona")
    page.goto(f"/admin/pricing/priceversion/{proposed.pk}/change/")
    expect(page.get_by_role("heading", name="Version 1 and version 2")).to_be_visible()
    expect(page.get_by_role("row", name="model Per unit Graduated changed")).to_be_visible()
    page.get_by_label("Quantity (unit)").focus()
    page.keyboard.type("6000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("16.00 EUR")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Tier 2: above 5000"))).to_be_visible()
    show(page, "price")
    page.get_by_role("button", name="Work it out").press("Enter")
    expect(page.get_by_text("A worker is at it")).to_be_visible()
    work.run_due_jobs(at=ANY_TIME)
    page.reload()
    expect(page.get_by_role("row", name=re.compile("^Globex .* 69.00 69.00 0$"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Acme .* 52.00 53.50 \\+1.50$"))).to_be_visible()
    expect(page.get_by_role("row", name="All 3 170.00 171.50 +1.50")).to_be_visible()
    show(page, "effect")
    page.goto(f"/admin/pricing/priceversion/{proposed.pk}/change/")
    decide(page, "Approve")
    expect(page.get_by_text("Approved").first).to_be_visible()
    show(page, "approved")


def test_product_sees_a_proposal_without_the_button_to_approve_it(page: Page, proposed: PriceVersion) -> None:
    sign_in(page, "paula")
    page.goto(f"/admin/pricing/priceversion/{proposed.pk}/change/")
    expect(action(page, "Withdraw")).to_be_visible()
    expect(action(page, "Approve")).to_have_count(0)
    page.goto(f"/admin/pricing/plan/{proposed.charge.plan_id}/change/")
    expect(page.get_by_text("proposed", exact=True)).to_be_visible()
    show(page, "plan")


def test_a_move_is_looked_at_before_it_is_approved(page: Page, company: billing.Company) -> None:
    scale = billing.make_plan("scale", finance=company.finance, fee="60", meter=company.meter, unit_amount="0.001")
    move = moves.propose_move(
        source=company.plan,
        target=scale,
        effective_at=billing.DECEMBER,
        actor=User.objects.get(username="paula"),
        at=billing.CLOSING,
    )
    work.run_due_jobs(at=billing.CLOSING)
    sign_in(page, "fiona")
    page.goto(f"/admin/effects/planmove/{move.pk}/change/")
    expect(page.get_by_role("row", name=re.compile("^Quiet .* 49.00 60.00 \\+11.00$"))).to_be_visible()
    show(page, "dry-run")
    decide(page, "Approve")
    work.run_due_jobs(at=ANY_TIME)
    page.reload()
    expect(page.get_by_text("3 moved, 0 not moved, 0 waiting.")).to_be_visible()
    show(page, "moved")
