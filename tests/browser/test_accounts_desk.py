"""Keys, customers, portal access and people in a browser; and no page breaks its own content security policy."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import external_ids
from accounts import sign_in as guard
from accounts.models import Customer, ExternalId, PortalUser
from tests.builders import people, world
from tests.builders.browsing import enter, show

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EVERY_ROLE = ("product", "finance", "ops", "engineering", "auditor")


def press(page: Page, button: str, *, submit: str, **fields: str) -> None:
    """Open the dialog of a button at the top of the page, fill it in and wait for the page to come back."""
    page.get_by_role("link", name=re.compile(f"(^| ){button}$")).click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    for label, value in fields.items():
        dialog.get_by_label(label).fill(value)
    with page.expect_navigation():
        dialog.get_by_role("button", name=submit).click()


def test_an_engineer_makes_a_key_sees_it_once_and_revokes_it(page: Page) -> None:
    enter(page, people.make_staff("erin", "engineering"))
    page.goto("/admin/accounts/apikey/add/")
    page.get_by_label("Name").fill("collector")
    page.get_by_label("Send events").check()
    page.get_by_label("Read everything its roles may read").check()
    show(page, "key-add")
    page.get_by_role("button", name="Save", exact=True).click()
    text = page.locator("#new-key").inner_text()
    show(page, "key-new")
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/customers", headers=headers).status_code == 200
    page.get_by_role("link", name="All API keys").click()
    expect(page.get_by_text(text)).to_have_count(0)
    page.get_by_role("link", name="collector").click()
    show(page, "key")
    press(page, "Revoke", submit="Revoke", Reason="the collector was retired")
    expect(page.get_by_text("Revoked.")).to_be_visible()
    assert Client().get("/api/v1/customers", headers=headers).status_code == 401


def test_ops_changes_a_customer_and_the_history_says_who(page: Page) -> None:
    customer = people.make_customer()
    enter(page, people.make_staff("olga", "ops"))
    page.goto(f"/admin/accounts/customer/{customer.pk}/change/")
    show(page, "customer")
    page.get_by_label("Payment terms days").fill("45")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"/admin/accounts/customer/{customer.pk}/history/")
    show(page, "customer-history")
    expect(page.get_by_text("olga").first).to_be_visible()
    assert Customer.objects.get().payment_terms_days == 45


def test_finance_gives_portal_access_and_closes_it(page: Page) -> None:
    people.make_customer()
    enter(page, people.make_staff("fiona", "finance"))
    page.goto("/admin/accounts/portaluser/add/")
    page.get_by_label("Customer").select_option(label="Acme GmbH (acme)")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This password is too short")).to_be_visible()
    show(page, "portal-user-add")
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Save", exact=True).click()
    made = PortalUser.objects.get()
    assert Client().login(username="ada", password=people.PASSWORD)
    page.goto(f"/admin/accounts/portaluser/{made.pk}/change/")
    show(page, "portal-user")
    press(page, "Set a new password", submit="Set password", Password="quite another phrase")
    assert Client().login(username="ada", password="quite another phrase")
    press(page, "Close access", submit="Close access")
    expect(page.get_by_text("Closed.")).to_be_visible()
    assert not Client().login(username="ada", password="quite another phrase")


def test_an_administrator_gives_a_role_and_unlocks_a_sign_in(page: Page) -> None:
    fiona = people.make_staff("fiona")
    for _ in range(10):
        guard.count_attempt(name="fiona", at=timezone.now())
    enter(page, people.make_staff("root", is_superuser=True))
    page.goto("/admin/auth/user/")
    show(page, "people")
    page.get_by_role("link", name="fiona").click()
    show(page, "person")
    press(page, "Unlock sign-in", submit="Unlock")
    expect(page.get_by_text("fiona can sign in again.")).to_be_visible()
    page.get_by_label("finance").check()
    page.get_by_label("Email").fill("fiona@example.com")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert [group.name for group in fiona.groups.all()] == ["finance"]
    page.context.clear_cookies()
    enter(page, people.make_staff("audrey", "auditor"))
    page.goto("/admin/core/auditentry/")
    show(page, "audit")
    page.get_by_text("staff.roles_changed").first.click()


@pytest.mark.nightly  # a minute: it opens every page
def test_no_page_breaks_the_content_security_policy(page: Page) -> None:
    made = world.make_world(at=timezone.now())
    enter(page, people.make_staff("everyman", *EVERY_ROLE, is_superuser=True))
    page.goto("/admin/")
    show(page, "today")
    links = page.locator("nav a[href^='/admin/'], aside a[href^='/admin/']").evaluate_all("all => all.map(a => a.href)")
    assert len(set(links)) > 15
    for link in sorted(set(links)):
        page.goto(link, wait_until="load")  # scripts have run; half a second of silence each takes a minute
    page.wait_for_load_state("networkidle")
    for name in ("cycle_invoice", "payouts_gatecheck", "payouts_payoutbatch", "pricing_plan", "metering_meter"):
        label, _, model = name.partition("_")
        page.goto(f"/admin/{label}/{model}/{made.ids[name]}/change/", wait_until="networkidle")
    page.goto("/api/v1/docs/", wait_until="networkidle")
    expect(page.get_by_text("Billing Ops API").first).to_be_visible()
    show(page, "docs")


def test_an_id_is_moved_to_another_customer_in_a_dialog(page: Page) -> None:
    opal = people.make_staff("opal", "ops")
    for code in ("acme", "beta"):
        people.make_customer(code)
    named = external_ids.add_external_id(
        customer_code="acme", system="stripe", external_id="cus_1", actor=opal, at=timezone.now()
    )
    enter(page, opal)
    page.goto(f"/admin/accounts/externalid/{named.pk}/change/")
    page.get_by_text("Move to another customer").first.click()
    page.locator("select[name=customer]").select_option(label="Beta GmbH (beta)")
    show(page, "move-external-id")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("names Beta GmbH (beta) from now on")).to_be_visible()
    show(page, "moved-external-id")
    assert ExternalId.objects.get().customer.code == "beta"
