"""JSON Schema 2020-12 of `data`, compiled once: linear-time patterns, nothing fetched, every error with its place."""

from itertools import islice
from typing import Any

import jsonschema_rs

from metering.rules import personal
from metering.rules.reasons import REASONS_MAX, Reason, pointer_to, reason


class Schema:
    """One compiled schema."""

    def __init__(self, schema: Any) -> None:
        """Compile; ValueError with one clear sentence for a schema that cannot be used."""
        if not isinstance(schema, dict):
            raise ValueError("the schema is not a JSON object")  # noqa: TRY004 - one error for every unusable schema
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                schema, validate_formats=True, offline=True, pattern_options=jsonschema_rs.RegexOptions()
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise ValueError(f"the schema is not usable: {getattr(error, 'message', error)}") from error
        self.is_valid = self._validator.is_valid
        self.personal = personal.marked(schema)

    def find_flaws(self, data: Any) -> list[Reason]:
        """Give one reason per error, up to the limit."""
        errors = islice(self._validator.iter_errors(data), REASONS_MAX)
        return [
            reason(
                f"schema_{error.kind.name}",
                f"{error.message}.",
                pointer=pointer_to(["data", *_place(error)]),
            )
            for error in errors
        ]


def _place(error: jsonschema_rs.ValidationError) -> list[str | int]:
    """Point at the missing property itself, not at the object that lacks it."""
    kind = error.kind
    missing = [kind.property] if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) else []
    return [*error.instance_path, *missing]
