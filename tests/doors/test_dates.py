"""How a page of the back office writes a date where no template says so."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.utils import formats

from core.models import Job
from tests.builders import people


def test_a_day_comes_before_its_month_and_the_hours_are_twenty_four() -> None:
    assert formats.localize(datetime(2026, 11, 2, 20, 5, tzinfo=UTC)) == "2 Nov 2026 20:05"
    assert formats.localize(date(2026, 11, 2)) == "2 Nov 2026"


@pytest.mark.django_db
def test_a_list_and_a_page_write_it_so(client: Client) -> None:
    at = datetime(2026, 11, 2, 20, 5, tzinfo=UTC)
    job = Job.objects.create(kind="chore", key="1", run_after=at, enqueued_at=at)
    client.force_login(people.make_staff("olga", "ops"))
    for address in ("/admin/core/job/", f"/admin/core/job/{job.pk}/change/"):
        assert "2 Nov 2026 20:05" in client.get(address).content.decode(), address
