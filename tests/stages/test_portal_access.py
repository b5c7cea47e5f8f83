"""Portal users: each of exactly one customer, for ever."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import Error, transaction
from django.test import Client

from accounts import portal_access
from accounts.models import PortalUser
from core import personal_keys
from core.models import AuditEntry
from tests.builders.people import NOW, PASSWORD, make_customer, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> PortalUser:
    return portal_access.give_access(
        customer=make_customer(),
        person={"username": "ada", "email": "ada@acme.example"},
        password=PASSWORD,
        actor=make_staff("fiona", "finance"),
        at=NOW,
    )


def test_a_portal_user_is_no_staff_and_has_no_role(ada: PortalUser) -> None:
    assert (ada.user.is_staff, ada.user.is_superuser, ada.user.groups.count()) == (False, False, 0)
    assert Client().login(username="ada", password=PASSWORD)


def test_who_gave_and_closed_access_stands_in_the_audit_chain(ada: PortalUser) -> None:
    portal_access.set_open(portal_user_id=ada.pk, is_open=False, actor=None, at=NOW)
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "actor__username", "facts"))
    facts = {"username": "ada", "customer": "acme"}
    assert [(what, who, personal_keys.open_within(said)) for what, who, said in entries] == [
        ("portal_access.given", "fiona", facts),
        ("portal_access.closed", None, facts),
    ]
    assert "ada" not in str([said for _, _, said in entries]), "the chain holds no name of a person"
    assert ada.history.get().history_user.username == "fiona"


def test_it_never_moves_to_another_customer(ada: PortalUser) -> None:
    other = make_customer("other")
    for change in ({"customer": other}, {"user": User.objects.create(username="eve")}):
        with pytest.raises(Error), transaction.atomic():
            PortalUser.objects.filter(pk=ada.pk).update(**change)


def test_closing_ends_its_sessions_and_opening_lets_it_in_again(ada: PortalUser) -> None:
    client = Client()
    client.login(username="ada", password=PASSWORD)
    assert client.get("/portal/password/").status_code == 200
    portal_access.set_open(portal_user_id=ada.pk, is_open=False, actor=None, at=NOW)
    assert client.get("/portal/password/").status_code == 302
    assert not Client().login(username="ada", password=PASSWORD)
    portal_access.set_open(portal_user_id=ada.pk, is_open=True, actor=None, at=NOW)
    assert Client().login(username="ada", password=PASSWORD)


def test_a_new_password_ends_sessions_under_the_old_one(ada: PortalUser) -> None:
    client = Client()
    client.login(username="ada", password=PASSWORD)
    portal_access.set_password(portal_user_id=ada.pk, password="another long one", actor=None, at=NOW)
    assert client.get("/portal/password/").status_code == 302
    assert Client().login(username="ada", password="another long one")


@pytest.mark.parametrize("password", ["short", "password123456", ""])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        portal_access.give_access(
            customer=make_customer(), person={"username": "ada"}, password=password, actor=None, at=NOW
        )
    assert not User.objects.exists()
