"""`bench [--quick]`: ratios of what we do to the least that could be done, measured in one run on this machine."""

import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from core import scratch
from core.postgres_place import CHECKOUT

LARGE = 1000
MICROSECONDS = 1_000_000
LATEST = Path("var") / "bench" / "latest.json"


class Command(BaseCommand):
    """Works in a scratch database beside the live one, and drops it."""

    help = "Measure ingest, close and PDFs against their bare counterparts; keeps var/bench/latest.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="Small sizes: shows that it runs, measures nothing.")
        parser.add_argument(
            "--growth",
            nargs="*",
            type=int,
            default=[2, 4],
            metavar="MILLIONS",
            help="Also close months of so many million events, each in a database of its own (default: 2 4).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("measuring in a scratch database; the longest part is the load of the events")
        rows = self._measure(["--quick"] if options["quick"] else [])
        base, million = (50, 20_000) if options["quick"] else (10_000, 1_000_000)
        for times in options["growth"]:
            rows.append(self._measure_growth(rows[1], subscriptions=base, events=million * times, times=times))
        self._print(rows)
        target = CHECKOUT / LATEST
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        self.stdout.write(f"figures: {LATEST}")

    def _measure_growth(self, first: dict[str, Any], *, subscriptions: int, events: int, times: int) -> dict[str, Any]:
        """The time of a close for each event, against that of the first close, which had so many times fewer."""
        _rate, whole, _in_python = self._measure(["--close", str(subscriptions), str(events)])
        value, limit = whole["value"] / events * MICROSECONDS, first["value"] * times / events * MICROSECONDS
        name = f"closing {times} times the events, for each event"
        return {"name": name, "value": value, "unit": "µs", "limit": limit, "ratio": value / limit}

    def _measure(self, arguments: list[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        with scratch.scratch_database() as environment:
            command = [sys.executable, "-m", "billing_ops.bench", *arguments]
            with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE) as process:
                for line in process.stdout or ():
                    part = orjson.loads(line)
                    rows += part
                    self.stdout.write("\n".join(f"  {row['name']}: {row['ratio']:.2f}" for row in part))
        if process.returncode:
            raise CommandError(f"a benchmark ended with code {process.returncode}; its message stands above")
        return rows

    def _print(self, rows: list[dict[str, Any]]) -> None:
        table = Table("", "ours", "bare", "unit", "ratio", title="Ours over bare, in one run")
        for row in rows:
            figures = (f"{row[side]:,.4g}" if row[side] < LARGE else f"{row[side]:,.0f}" for side in ("value", "limit"))
            table.add_row(row["name"], *figures, row["unit"], f"{row['ratio']:.2f}")
        page = StringIO()
        Console(file=page, markup=False, width=120, force_terminal=self.stdout.isatty()).print(table)
        self.stdout.write(page.getvalue())
