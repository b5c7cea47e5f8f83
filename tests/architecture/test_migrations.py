"""Migrations of each app form one line, and say all that the models say."""

import io
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

OWN = [
    app.label
    for app in apps.get_app_configs()
    if Path(app.path).is_relative_to(settings.BASE_DIR) and ".venv" not in app.path
]


def test_the_apps_of_this_project_are_found() -> None:
    assert {"accounts", "metering", "cycle", "policy", "alerts", "evidence"} <= set(OWN)
    assert "auth" not in OWN


def test_each_app_has_one_first_and_one_last_migration() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for label in OWN:
        assert len(loader.graph.leaf_nodes(label)) <= 1
        assert len(loader.graph.root_nodes(label)) <= 1
        own = [name for app, name in loader.disk_migrations if app == label]
        parents = [
            parent.key
            for name in own
            for parent in loader.graph.node_map[label, name].parents
            if parent.key[0] == label
        ]
        assert len(parents) == len(set(parents)), f"two migrations of {label} follow the same one"


@pytest.mark.django_db
def test_no_change_of_a_model_waits_for_its_migration() -> None:
    said = io.StringIO()
    call_command("makemigrations", check_changes=True, dry_run=True, stdout=said)
    assert "No changes detected" in said.getvalue()
