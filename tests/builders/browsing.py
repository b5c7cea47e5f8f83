"""A browser in the hands of somebody who is signed in already; the sign-in page has tests of its own."""

import os
from pathlib import Path

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page

LIVE_HOST = "localhost"  # where pytest-django serves


def enter(page: Page, user: User) -> None:
    """Go on as this user, whoever was at the browser before."""
    client = Client()
    client.force_login(user)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": LIVE_HOST, "path": "/"}
    page.context.clear_cookies()
    page.context.add_cookies([session])  # type: ignore[list-item]  # a TypedDict that is not exported


def show(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look: SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
