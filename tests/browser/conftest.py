"""A headless Chromium of the machine, beside a live server with committed data."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.builders import browsing


@pytest.fixture(scope="session", autouse=True)
def database_beside_a_browser() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, and Django refuses the database beside one unless told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What browsers said on their consoles, what they asked of other hosts and what failed: nothing, in the end.

    A test that provokes one takes it out.
    """
    heard: list[str] = []
    yield heard
    assert heard == []


@pytest.fixture
def has_scripts() -> bool:
    """Whether the browser runs scripts; a module may say otherwise."""
    return True


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, complaints: list[str], has_scripts: bool) -> Iterator[Page]:
    """An empty page of a browser that nobody signed in to."""
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 1440, "height": 1000}, java_script_enabled=has_scripts
    )
    page = context.new_page()
    browsing.listen(page, complaints)
    yield page
    context.close()
