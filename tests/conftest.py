"""What every test stands on: the embedded PostgreSQL, and a browser where the machine has one."""

import shutil

import pytest

from core import embedded_postgres


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Bring the database up before pytest-django makes the test database; tests of pure rules never wait for it."""
    embedded_postgres.ensure_configured()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a browser where there is none, and say so."""
    if shutil.which("chromium"):
        return
    missing = pytest.mark.skip(reason="no Chromium here: sudo apt-get install -y chromium")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(missing)
