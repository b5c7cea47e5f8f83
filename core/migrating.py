"""Making many tables in one step of a migration, so that Django draws up its models once and not once for each."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger

Addition = AddConstraint | AddField | AddIndex


class MakeTogether(Operation):
    """Create models with what is added to them, as makemigrations writes it, and their triggers.

    Alone, each operation has Django draw up again every model that hangs together with its own, which for a few
    hundred of them takes most of a minute and changes no table. Only new models can be made this way: nothing looks at
    a state in between, and what is added to a model is in its table from the beginning.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, operations: Sequence[CreateModel | Addition | AddTrigger]) -> None:
        self.operations = operations
        self.steps = [operation for operation in operations if not isinstance(operation, Addition)]
        made = {operation.name_lower for operation in operations if isinstance(operation, CreateModel)}
        added = {operation.model_name.lower() for operation in operations if isinstance(operation, Addition)}
        if not added <= made:
            raise ValueError(f"not made here: {', '.join(sorted(added - made))}")

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the models to the state; what was drawn up of it before is drawn up again when somebody looks."""
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create every table and trigger, in order."""
        for operation in self.steps:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop every trigger and table, the last made first; only the state before the step back knows them."""
        for operation in reversed(self.steps):
            operation.database_backwards(app_label, schema_editor, from_state, from_state)

    def describe(self) -> str:
        """Name what is made, for `sqlmigrate` and `--plan`."""
        names = [operation.name for operation in self.operations if isinstance(operation, CreateModel)]
        return f"Create models {', '.join(names)} and their triggers"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"operations": self.operations}
