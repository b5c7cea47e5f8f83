"""A browser in the hands of somebody who is signed in already; the sign-in page has tests of its own."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page


def enter(page: Page, user: User) -> None:
    """Go on as this user, whoever was at the browser before."""
    client = Client()
    client.force_login(user)
    page.goto("/healthz")  # only to learn the address
    host = urlsplit(page.url).hostname
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": host, "path": "/"}
    page.context.clear_cookies()
    page.context.add_cookies([session])  # type: ignore[list-item]  # a TypedDict that is not exported


def show(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look: SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
