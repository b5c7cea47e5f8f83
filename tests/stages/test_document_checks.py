"""A machine without Pango is told what to install."""

import importlib

import pytest

from invoicing.documents import checks


def test_this_machine_can_print() -> None:
    assert checks.check_pango(None) == []


def test_a_missing_library_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_without_pango(name: str) -> None:
        raise OSError(f"cannot load library for {name}")

    monkeypatch.setattr(checks, "_LIBRARIES", ("libsurely-not-here.so.0",))
    monkeypatch.setattr(importlib, "import_module", import_without_pango)
    (error,) = checks.check_pango(None)
    assert error.id == "documents.E001"
    assert error.hint == "Run: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def test_libraries_under_other_names_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_LIBRARIES", ("libsurely-not-here.so.0",))
    assert checks.check_pango(None) == []
