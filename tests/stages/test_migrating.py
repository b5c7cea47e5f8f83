"""Tables and triggers that are made in one step of a migration, and installations from before they were."""

import pytest
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from pgtrigger.compiler import Trigger, UpsertTriggerSql
from pgtrigger.migrations import AddTrigger

from core.migrating import MakeTogether

pytestmark = pytest.mark.django_db


def test_models_and_triggers_come_and_go_in_one_step() -> None:
    step = MakeTogether(operations=[shelf(), book(), book_is_kept()])
    before = ProjectState()
    after = before.clone()
    step.state_forwards("core", after)
    with connection.schema_editor(atomic=False) as editor:
        step.database_forwards("core", editor, before, after)
    place = after.apps.get_model("core", "Shelf").objects.create()
    books = after.apps.get_model("core", "Book").objects
    books.create(shelf=place)
    assert books.get().shelf_id == place.pk
    with pytest.raises(DatabaseError, match="a book is kept"), transaction.atomic():
        books.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.schema_editor(atomic=False) as editor:
        step.database_backwards("core", editor, after, before)
    assert {"core_shelf", "core_book"}.isdisjoint(connection.introspection.table_names())


def test_what_is_added_to_a_model_is_in_its_table_and_constraint_and_index_hold() -> None:
    title = migrations.AddField("book", "title", models.CharField(max_length=9))
    once = migrations.AddConstraint("book", models.UniqueConstraint(fields=["title"], name="core_book_once"))
    sorted_by = migrations.AddIndex("book", models.Index(fields=["title"], name="core_book_by_title"))
    step = MakeTogether(operations=[book(), shelf(), title, once, sorted_by])
    before = ProjectState()
    after = before.clone()
    step.state_forwards("core", after)
    with connection.schema_editor(atomic=False) as editor:
        step.database_forwards("core", editor, before, after)
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "core_book")
        columns = [column.name for column in connection.introspection.get_table_description(cursor, "core_book")]
    assert columns == ["id", "shelf_id", "title"]
    assert {"core_book_once", "core_book_by_title"} <= found.keys()
    assert [one["foreign_key"] for one in found.values() if one["foreign_key"]] == [("core_shelf", "id")]
    with connection.schema_editor(atomic=False) as editor:
        step.database_backwards("core", editor, after, before)
    assert {"core_shelf", "core_book"}.isdisjoint(connection.introspection.table_names())


def test_nothing_is_added_to_a_model_that_was_there_before() -> None:
    with pytest.raises(ValueError, match="not made here: book"):
        MakeTogether(operations=[shelf(), migrations.AddField("Book", "title", models.CharField(max_length=9))])


def test_models_that_were_drawn_up_are_drawn_up_again_with_the_new_ones() -> None:
    state = ProjectState()
    assert not list(state.apps.get_models())
    MakeTogether(operations=[shelf(), book()]).state_forwards("core", state)
    assert {model.__name__ for model in state.apps.get_models()} == {"Shelf", "Book"}


def test_an_installation_that_took_each_step_alone_has_nothing_to_do() -> None:
    recorder = MigrationRecorder(connection)
    replacements = MigrationLoader(connection).replacements
    assert ("metering", "0002_squashed_0017_events_by_month") in replacements
    for key, migration in replacements.items():
        recorder.record_unapplied(*key)
        for one in migration.replaces:
            recorder.record_applied(*one)
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def shelf() -> migrations.CreateModel:
    return migrations.CreateModel(name="Shelf", fields=[("id", models.BigAutoField(primary_key=True))])


def book() -> migrations.CreateModel:
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("shelf", models.ForeignKey("core.Shelf", on_delete=models.PROTECT)),
    ]
    return migrations.CreateModel(name="Book", fields=fields)


def book_is_kept() -> AddTrigger:
    statement = UpsertTriggerSql(
        func="RAISE EXCEPTION 'a book is kept';",
        hash="1",
        operation="DELETE",
        pgid="pgtrigger_is_kept",
        table="core_book",
        when="BEFORE",
    )
    return AddTrigger(model_name="book", trigger=Trigger(name="is_kept", sql=statement))
