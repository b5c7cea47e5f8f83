"""What every test stands on: the embedded PostgreSQL, and a browser where the machine has one."""

import re
import shutil
from collections.abc import Iterator
from typing import Any

import hypothesis
import pgtrigger
import pytest
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush as flush_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections, transaction
from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models.signals import post_migrate
from django.test import override_settings
from whitenoise.middleware import WhiteNoiseMiddleware

from core import embedded_postgres
from tests import workers

TABLE_NAME = re.compile(r'"[^"]+"')
PERMISSIONS = "django.contrib.auth.management.create_permissions"  # as Django's own app connects it

# A busy machine is no finding: how long an example takes, or its making, decides nothing.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Bring the database up before pytest-django makes the test database; tests of pure rules never wait for it."""
    embedded_postgres.ensure_configured()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return workers.count_workers(config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> workers.Stretches:
    config.option.loadscopereorder = False  # the order is put_in_order's
    return workers.Stretches(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests in their order; leave out what needs a browser where there is none, and say so."""
    workers.put_in_order(items)
    if shutil.which("chromium"):
        return
    missing = pytest.mark.skip(reason="no Chromium here: sudo apt-get install -y chromium")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(missing)


# Rows that migrations wrote and that the product cannot be without: they name nobody, so nothing else has to stay.
# Content types and permissions follow from the models alone: Django would write the same few hundred after each test.
STAYING = {
    '"auth_group"': "name IN ('product', 'finance', 'ops', 'engineering', 'auditor')",
    '"auth_permission"': "TRUE",
    '"django_content_type"': "TRUE",
    '"disputes_disputepolicy"': "set_by_id IS NULL",
    '"erasure_retentionrule"': "created_by_id IS NULL",
    '"launch_checklistversion"': "proposed_by_id IS NULL",
    '"metering_healthpolicy"': "created_by_id IS NULL",
}


def clear_what_has_rows(sql_list: list[str]) -> bool:
    """Delete from the few tables that a test wrote to; TRUNCATE would make new files for a hundred empty ones.

    False, and nothing done, where Django asks for more than that or the test's role may not put its triggers aside.
    """
    names = [name for statement in sql_list for name in TABLE_NAME.findall(statement)]
    connection = connections["default"]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if "RESTART" in "".join(sql_list) or not names or not cursor.fetchone()[0]:
            return False
        # The names are Django's own, quoted as it quotes them.
        filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)  # noqa: S608
        cursor.execute(filled)
        written = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")  # neither keys nor triggers look
        for name in written:
            staying = STAYING.get(name, "FALSE")
            cursor.execute(f"DELETE FROM {name} WHERE NOT ({staying})")  # noqa: S608  as above
    return True


def refill(*told: Any) -> None:
    """Have every room write what it begins with; Django's own part is there unless TRUNCATE took it."""
    if not ContentType.objects.exists():
        emit_post_migrate_signal(*told)
        return
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(create_permissions, dispatch_uid=PERMISSIONS)
    try:
        emit_post_migrate_signal(*told)
    finally:
        post_migrate.connect(create_contenttypes)
        post_migrate.connect(create_permissions, dispatch_uid=PERMISSIONS)


@pytest.fixture(scope="session", autouse=True)
def clearing_between_committed_tests() -> Iterator[None]:
    """Append-only tables refuse TRUNCATE, and to have their first rows written once more.

    Only the clearing after a test that commits, and the bringing back of what migrations wrote, may do it.
    """
    flush = DatabaseOperations.execute_sql_flush
    bring_back = BaseDatabaseCreation.deserialize_db_from_string

    def flush_all(operations: DatabaseOperations, sql_list: list[str]) -> None:
        with pgtrigger.ignore():
            if not clear_what_has_rows(sql_list):
                flush(operations, sql_list)

    def bring_all_back(creation: BaseDatabaseCreation, data: str) -> None:
        with pgtrigger.ignore():
            bring_back(creation, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_all)
        patch.setattr(flush_command, "emit_post_migrate_signal", refill)
        patch.setattr(BaseDatabaseCreation, "deserialize_db_from_string", bring_all_back)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_anchors() -> Iterator[None]:
    """A head of one test's chain would contradict the chain of the next."""
    with override_settings(AUDIT_ANCHOR_FILE=""):
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Every client of a test stands on middleware of its own, which would look through all static files again."""
    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def remember(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", remember)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The hash that makes guessing slow would make every sign-in of a test slow too."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield
