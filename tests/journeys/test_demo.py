"""The demo as a newcomer runs it: a company of its own, real processes, and a second run that doubles nothing."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

CHECKOUT = Path(__file__).resolve().parents[2]


def run_demo(home: Path) -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    return run("demo", "--no-serve", home=home, PORT=port, COLUMNS="200")


def run(*command: str, home: Path, **environment: str) -> str:
    """What a command of manage.py prints over the company that lives there; it has to succeed."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=CHECKOUT,
        env={**inherited, "BILLING_OPS_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the demo here brings its own embedded PostgreSQL")
def test_the_demo_tells_its_story_and_a_second_run_doubles_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        first, second = run_demo(home), run_demo(home)
        found = json.loads(run("check_invariants", "--json", home=home))
    finally:
        subprocess.run(
            [sys.executable, "manage.py", "db", "stop"],
            cwd=CHECKOUT,
            env={**os.environ, "BILLING_OPS_HOME": str(home)},
            check=True,
            capture_output=True,
        )
    told_once = ("LUM-000001", "LUM-000002", "held", "2 lines correct late usage", "released", "blocked", "fiona")
    for told in (*told_once, "initech-months"):
        assert told in first, told
    assert "LUM-000003" not in second
    assert rows(first, "Invoices", "Payouts") == rows(second, "Invoices", "Payouts")
    assert [one for one in found if one["count"]] == []
    text = "".join(page.extract_text() for page in PdfReader(home / "demo" / "LUM-000002.pdf").pages)
    assert "Acme Robotics GmbH" in text
    assert "Page 1 of" in text


def rows(printed: str, title: str, next_title: str) -> str:
    """One of the printed tables."""
    return printed.split(f"{title}", 1)[1].split(next_title, 1)[0]
