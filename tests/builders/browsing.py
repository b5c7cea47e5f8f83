"""A browser in the hands of somebody who is signed in already; the sign-in page has tests of its own."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page

LIVE_HOST = "localhost"  # where pytest-django serves
ERRORS_FROM = 400


def listen(page: Page, complaints: list[str]) -> None:
    """Write down what goes wrong on a page, and what it asks of other hosts."""
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if is_foreign(request.url) else None)
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= ERRORS_FROM else None)


def is_foreign(url: str) -> bool:
    """Asked of another machine; Chromium's own pages, which show a PDF, have other schemes."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != LIVE_HOST


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
