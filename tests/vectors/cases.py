"""Reads the worked cases, and the list of those that the product answers otherwise or not yet."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("BILLING_VECTORS") or HERE / "data")

Case = dict[str, Any]


def load(name: str, *, folder: Path = FOLDER) -> list[Case]:
    """The cases of one file; none where the folder, the one in use unless told otherwise, has no such file."""
    path = folder / f"{name}.json"
    found: list[Case] = json.loads(path.read_text()) if path.exists() else []
    return found


def parametrize(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", load(name), ids=lambda case: str(case["id"]))


def deviations() -> dict[str, Any]:
    """`decided_otherwise` by case id, `not_yet` by file and group; each with its reason."""
    return tomllib.loads((HERE / "deviations.toml").read_text())


def skip_if_excused(name: str, *, case: Case, group: str) -> None:
    """Leave out, with its reason, a case that the list names by id or by group."""
    listed = deviations()
    reason = listed["decided_otherwise"].get(case["id"]) or listed["not_yet"].get(name, {}).get(group)
    if reason:
        pytest.skip(reason)
