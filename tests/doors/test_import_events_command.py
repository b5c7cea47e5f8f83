"""`manage.py import_events`: what a person or a script sees."""

import gzip
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.builders import usage

MAP = ["--map", "time=When", "--map", "data.input_tokens=In", "--map", "data.output_tokens=Out"]
ACME = ["--customer", "acme", "--type", usage.EVENT_TYPE]
ROOT = Path(__file__).parents[2]


def run(*words: str) -> str:
    out = StringIO()
    call_command("import_events", *words, stdout=out)
    return out.getvalue()


def write(folder: Path, *lines: str, name: str = "use.csv") -> str:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in ("When,In,Out", *lines)))
    return str(path)


@pytest.mark.django_db
class TestImport:
    @pytest.fixture(autouse=True)
    def house(self) -> None:
        usage.house()

    def test_it_says_what_became_of_the_rows(self, tmp_path: Path) -> None:
        path = write(tmp_path, "2026-03-01 10:00:00,1,2", "2026-03-01 10:00:01,many,2", "2026-03-01 10:00:02,1")
        assert run(path, *ACME, *MAP).splitlines() == [
            "accepted 1, duplicate 0, quarantined 2",
            "  value_not_number: 1. A metered value is not a number, or not a plain decimal as text.",
            "  row_ragged: 1. A row of an imported file has more or fewer cells than its header.",
            "Each of them waits in quarantine (back office, Quarantined events), with what is wrong in it.",
        ]
        assert run(path, *ACME, *MAP).splitlines()[0] == "accepted 0, duplicate 1, quarantined 2"

    def test_a_compressed_file_is_told_how_to_be_unpacked(self, tmp_path: Path) -> None:
        path = tmp_path / "use.csv.gz"
        path.write_bytes(gzip.compress(b"When,In,Out\n2026-03-01 10:00:00,1,2\n"))
        for words in ([], ["--format", "csv"]):
            with pytest.raises(CommandError, match=f"{path} is compressed: unpack it first, as with gunzip -k"):
                run(str(path), *words, *ACME, *MAP)

    def test_the_format_is_known_by_the_ending_or_named(self, tmp_path: Path) -> None:
        path = write(tmp_path, "2026-03-01 10:00:00,1,2", name="use.txt")
        with pytest.raises(CommandError, match="--format csv, ndjson or parquet"):
            run(path, *ACME, *MAP)
        assert run(path, "--format", "csv", *ACME, *MAP).startswith("accepted 1,")

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--customer", "nobody", "--type", usage.EVENT_TYPE, *MAP], "There is no customer nobody"),
            ([*ACME, *MAP[:-1], "data.output_tokens=Output"], "The column 'Output' is not in the header"),
            ([*ACME, *MAP, "--map", "when=When"], "--map: 'when=When' is none of"),
            ([*ACME, *MAP, "--format", "parquet"], "is not a Parquet file"),
        ],
    )
    def test_what_cannot_work_ends_with_one_line_and_code_2(self, tmp_path: Path, words: list[str], says: str) -> None:
        with pytest.raises(CommandError, match=says) as refused:
            run(write(tmp_path, "2026-03-01 10:00:00,1,2"), *words)
        assert refused.value.returncode == 2


def test_a_missing_file_is_one_line_on_the_terminal_and_code_2(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "import_events", str(tmp_path / "none.csv"), *ACME, *MAP],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert (
        ended.stderr.splitlines()[-1]
        == f"CommandError: {tmp_path / 'none.csv'} cannot be read: No such file or directory."
    )
