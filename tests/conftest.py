"""What every test stands on: the embedded PostgreSQL, and a browser where the machine has one."""

import shutil
from collections.abc import Iterator

import hypothesis
import pgtrigger
import pytest
from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings

from core import embedded_postgres

# A busy machine is no finding: how long an example takes, or its making, decides nothing.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


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


@pytest.fixture(scope="session", autouse=True)
def clearing_between_committed_tests() -> Iterator[None]:
    """Append-only tables refuse TRUNCATE, and to have their first rows written once more.

    Only the clearing after a test that commits, and the bringing back of what migrations wrote, may do it.
    """
    flush = DatabaseOperations.execute_sql_flush
    bring_back = BaseDatabaseCreation.deserialize_db_from_string

    def flush_all(operations: DatabaseOperations, sql_list: list[str]) -> None:
        with pgtrigger.ignore():
            flush(operations, sql_list)

    def bring_all_back(creation: BaseDatabaseCreation, data: str) -> None:
        with pgtrigger.ignore():
            bring_back(creation, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_all)
        patch.setattr(BaseDatabaseCreation, "deserialize_db_from_string", bring_all_back)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The hash that makes guessing slow would make every sign-in of a test slow too."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield
