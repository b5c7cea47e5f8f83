"""Signing in to the back office."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.builders.people import PASSWORD, make_customer, make_portal_user, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona() -> User:
    user = make_staff("fiona", "finance")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, username: str, password: str, **headers: str) -> Any:
    return client.post("/admin/login/", {"username": username, "password": password}, headers=headers)


def test_staff_sign_in_and_land_in_the_back_office(fiona: User) -> None:
    client = Client()
    assert sign_in(client, "fiona", PASSWORD)["Location"] == "/"
    assert client.get("/")["Location"] == "/admin/"


def test_others_are_sent_to_the_portal() -> None:
    client = Client()
    assert client.get("/")["Location"] == "/portal/"
    client.force_login(make_portal_user(make_customer()).user)
    assert client.get("/")["Location"] == "/portal/"


def test_the_session_gets_a_new_key_at_sign_in(fiona: User) -> None:
    client = Client()
    client.get("/admin/login/")
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    planted = str(session.session_key)
    client.cookies["sessionid"] = planted
    sign_in(client, "fiona", PASSWORD)
    assert client.session.session_key != planted


@pytest.mark.parametrize("name", ["fiona", "nobody"])
def test_after_ten_wrong_passwords_the_page_says_when_to_come_again(fiona: User, name: str) -> None:
    client = Client()
    for _ in range(9):
        assert b"Too many wrong passwords" not in sign_in(client, name, "wrong").content
    assert b"Too many wrong passwords for this name. Try again after " in sign_in(client, name, "wrong").content
    assert b"Too many wrong passwords" in sign_in(client, name, PASSWORD).content
    assert "_auth_user_id" not in client.session


def test_a_right_password_before_the_tenth_wrong_one_starts_from_none(fiona: User) -> None:
    for _ in range(2):
        for _ in range(9):
            sign_in(Client(), "fiona", "wrong")
        assert sign_in(Client(), "fiona", PASSWORD).status_code == 302


def test_signing_in_needs_the_csrf_token(fiona: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client, "fiona", PASSWORD).status_code == 403


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_after_sign_in_stays_here(fiona: User, elsewhere: str) -> None:
    response = Client().post(
        "/admin/login/",
        {"username": "fiona", "password": PASSWORD, "next": elsewhere},
        query_params={"next": elsewhere},
    )
    assert response["Location"] == "/"


def test_portal_users_do_not_enter_the_back_office() -> None:
    user = make_portal_user(make_customer()).user
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    assert b"staff account" in sign_in(client, "ada", PASSWORD).content
    client.force_login(user)
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
