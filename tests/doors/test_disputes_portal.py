"""Disputes in the portal: of its own customer, and nothing else for anybody."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from compliance.disputes import decide, talk
from compliance.disputes.models import Dispute
from compliance.disputes.portal import urls
from tests.builders import billing, disputes, portal
from tests.builders.disputes import NOON

pytestmark = pytest.mark.django_db


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    content = response.content.decode()
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content)))


def decided(desk: disputes.Desk) -> Dispute:
    dispute = disputes.on_its_path(desk)
    decide.reject(dispute_id=dispute.pk, answer="Your logs agree.", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=5))
    return dispute


def test_a_customer_contests_a_line_follows_it_adds_to_it_and_takes_it_back() -> None:
    desk = disputes.open_desk()
    acme = signed_in(portal.portal_person(desk.invoice.customer))
    assert "Something is wrong" in text_of(acme.get(f"/portal/invoices/{desk.invoice.pk}/"))
    address = f"/portal/disputes/invoice/{desk.invoice.pk}/"
    assert "Line 2: Tokens" in text_of(acme.get(address))
    answer = acme.post(address, {"position": "2", "reason": "quantity", "text": "We did not use that."})
    dispute = Dispute.objects.get()
    page = f"/portal/disputes/{dispute.pk}/"
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert (dispute.origin, dispute.status) == ("portal", "evidence")
    again = acme.post(address, {"position": "2", "reason": "quantity", "text": "We did not use that."})
    assert "contested already" in text_of(again)
    talk.write_remark(dispute_id=dispute.pk, text="Between us: odd.", actor=desk.engineer, at=NOON)
    acme.post(page, {"text": "See our own count."})
    shown = text_of(acme.get(page))
    assert "See our own count." in shown
    assert "Between us" not in shown
    acme.post(page, {"withdraw": "1"})
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome) == ("closed", "withdrawn")
    assert "Withdrawn" in text_of(acme.get("/portal/disputes/"))


def test_the_letter_and_its_pack_are_downloaded_once_it_is_decided() -> None:
    desk = disputes.open_desk()
    acme = signed_in(portal.portal_person(desk.invoice.customer))
    dispute = disputes.contest(desk)
    files = [f"/portal/disputes/{dispute.pk}/{name}" for name in ("letter.pdf", "letter.txt", "evidence.zip")]
    assert [acme.get(file).status_code for file in files] == [404, 404, 404]
    disputes.run_jobs(at=NOON + timedelta(minutes=1))
    decide.reject(dispute_id=dispute.pk, answer="Your logs agree.", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=5))
    pdf, text, pack = [acme.get(file) for file in files]
    assert pdf.content.startswith(b"%PDF-")
    assert b"".join(pack).startswith(b"PK")
    assert str(pack["ETag"]).strip('"') in text.content.decode()


def test_people_of_another_customer_find_nothing_of_it() -> None:
    desk = disputes.open_desk()
    dispute = decided(desk)
    beta = signed_in(portal.portal_person(billing.make_customer("beta")))
    values = {"dispute_id": dispute.pk, "invoice_id": desk.invoice.pk}
    routes = [str(one.pattern) for one in urls.urlpatterns]
    paths = ["/portal/disputes/" + re.sub(r"<int:(\w+)>", lambda m: str(values[m[1]]), route) for route in routes]
    assert len(paths) == 6
    got = {path: beta.get(path).status_code for path in paths}
    assert got == {path: 200 if path == "/portal/disputes/" else 404 for path in paths}
    assert str(desk.invoice.number) not in text_of(beta.get("/portal/disputes/"))
    before = dispute.messages.count()
    for path, sent in (
        (f"/portal/disputes/{dispute.pk}/", {"text": "Mine."}),
        (f"/portal/disputes/{dispute.pk}/", {"withdraw": "1"}),
        (f"/portal/disputes/invoice/{desk.invoice.pk}/", {"reason": "other", "text": "Mine."}),
    ):
        assert beta.post(path, sent).status_code == 404
    assert (dispute.messages.count(), Dispute.objects.count()) == (before, 1)
