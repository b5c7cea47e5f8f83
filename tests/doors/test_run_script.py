"""`./run` under dash: what it says, and what it refuses."""

import os
import subprocess
from pathlib import Path

import pytest

from core import postgres_place

NOBODY_IN_PARTICULAR = "#!/bin/sh\necho 1000\n"
NO_LIBRARIES = "#!/bin/sh\n"


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """Programs that come first on the PATH, so that the machine seems to be another."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    return folder


def stub(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


def run(*arguments: str, stubs: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{stubs}:{os.environ['PATH']}" if stubs else os.environ["PATH"]
    return subprocess.run(
        ["/bin/sh", str(postgres_place.CHECKOUT / "run"), *arguments],
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_lists_its_commands_without_setting_anything_up(tmp_path: Path) -> None:
    for arguments in ((), ("help",), ("--help",)):
        result = run(*arguments, BILLING_OPS_HOME=str(tmp_path / "home"), BILLING_OPS_VENV=str(tmp_path / "venv"))
        assert result.returncode == 0
        for command in ("demo", "test", "test-vectors", "test-nightly", "serve", "check", "bench", "setup", "help"):
            assert f"./run {command}" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_command_is_refused() -> None:
    result = run("finalise")
    assert result.returncode == 1
    assert result.stderr.endswith("run: unknown command: finalise\n")


def test_missing_packages_are_named_in_one_line_for_an_ordinary_user(stubs: Path, tmp_path: Path) -> None:
    stub(stubs, "id", NOBODY_IN_PARTICULAR)
    stub(stubs, "ldconfig", NO_LIBRARIES)
    result = run("setup", stubs=stubs, BILLING_OPS_HOME=str(tmp_path / "home"), BILLING_OPS_VENV=str(tmp_path / "venv"))
    assert result.returncode == 1
    assert result.stderr == (
        "run: system packages are missing; please run: "
        "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0\n"
    )


def test_a_python_that_is_too_old_is_as_good_as_none(stubs: Path, tmp_path: Path) -> None:
    stub(stubs, "id", NOBODY_IN_PARTICULAR)
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        stub(stubs, name, "#!/bin/sh\nexit 1\n")
    result = run("setup", stubs=stubs, BILLING_OPS_HOME=str(tmp_path / "home"), BILLING_OPS_VENV=str(tmp_path / "venv"))
    assert "sudo apt-get install -y python3 python3-venv" in result.stderr


def test_a_folder_of_something_else_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    result = run("setup", BILLING_OPS_HOME=str(tmp_path / "home"), BILLING_OPS_VENV=str(tmp_path))
    assert result.returncode == 1
    assert "holds something else than a virtual environment" in result.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
