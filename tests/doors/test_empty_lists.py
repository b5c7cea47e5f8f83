"""A list of the back office without rows says whether nothing is there yet or nothing matches."""

import pytest
from django.test import Client

from tests.builders import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(client: Client) -> Client:
    client.force_login(people.make_staff("fina", "finance"))
    return client


def test_a_list_that_nothing_was_put_into_says_so(finance: Client) -> None:
    page = finance.get("/admin/disputes/dispute/").content.decode()
    assert "No disputes yet" in page
    assert "Nothing matches" not in page


def test_a_search_without_a_hit_leads_back_to_the_whole_list(finance: Client) -> None:
    page = finance.get("/admin/disputes/dispute/?q=nobody").content.decode()
    assert "Nothing matches" in page
    assert "No disputes fit this search and these filters." in page
    assert '<a href="?"' in page


def test_who_may_add_something_is_offered_to(finance: Client) -> None:
    assert "Add customer" in finance.get("/admin/accounts/customer/").content.decode()
    finance.force_login(people.make_staff("audrey", "auditor"))
    page = finance.get("/admin/accounts/customer/").content.decode()
    assert "No customers yet" in page
    assert "Add customer" not in page
