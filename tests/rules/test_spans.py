"""Large text files are cut into spans of whole lines, by their places alone."""

import os
from pathlib import Path

import pytest

from metering import files
from metering.files import Block, Span, UnusableFileError

LONG = files.LINE_BYTES_MAX


def write(folder: Path, content: bytes) -> Path:
    path = folder / "use.ndjson"
    path.write_bytes(content)
    return path


def find(path: Path, *, after_line: int = 0, rows_max: int = 10, bytes_max: int = 1000) -> list[Span]:
    return list(files.find_spans(path, after_line=after_line, rows_max=rows_max, bytes_max=lambda _left: bytes_max))


def blocks(spans: list[Span]) -> list[Block]:
    return [files.read_span(span) for span in spans]


def test_spans_hold_so_many_lines_and_the_last_line_needs_no_end(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\nbb\nccc\n\ne")
    assert blocks(find(path, rows_max=2)) == [
        Block(1, [b"a", b"bb"]),
        Block(3, [b"ccc", b""]),
        Block(5, [b"e"]),
    ]
    assert [span.last_number for span in find(path, rows_max=2)] == [2, 4, 5]


def test_an_end_is_no_line_more(tmp_path: Path) -> None:
    assert blocks(find(write(tmp_path, b"a\nb\n"), rows_max=2)) == [Block(1, [b"a", b"b"])]


@pytest.mark.parametrize(
    ("bytes_max", "lines"),
    [(1, [[b"aa"], [b"bb"], [b"cc"]]), (3, [[b"aa", b"bb"], [b"cc"]]), (5, [[b"aa", b"bb"], [b"cc"]])],
)
def test_the_line_that_passes_a_bound_ends_its_span(tmp_path: Path, bytes_max: int, lines: list[list[bytes]]) -> None:
    found = blocks(find(write(tmp_path, b"aa\nbb\ncc\n"), bytes_max=bytes_max))
    assert [block.lines for block in found] == lines


def test_a_mark_before_the_first_line_is_passed_by(tmp_path: Path) -> None:
    path = write(tmp_path, files.MARK + b"a\nb\nc\n")
    assert blocks(find(path)) == [Block(1, [b"a", b"b", b"c"])]
    assert blocks(find(path, after_line=1)) == [Block(2, [b"b", b"c"])]


def test_what_was_done_is_passed_by_also_across_what_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 4)
    monkeypatch.setattr(files, "STEP_BYTES", 4)
    path = write(tmp_path, b"".join(b"line %d\n" % number for number in range(1, 31)))
    for done in (0, 1, 7, 29, 30, 99):
        found = blocks(find(path, after_line=done, rows_max=4, bytes_max=1000))
        assert [line for block in found for line in block.lines] == [b"line %d" % n for n in range(done + 1, 31)]
        assert all(len(block.lines) <= 4 for block in found)


@pytest.mark.parametrize("end", [b"", b"\n", b"\nnext\n"])
def test_before_a_line_that_is_too_long_comes_what_was_found(tmp_path: Path, end: bytes) -> None:
    path = write(tmp_path, b"a\nb\n" + b"x" * LONG + end)
    spans = files.find_spans(path, after_line=0, rows_max=10, bytes_max=lambda _left: 4 * LONG)
    if not end:  # just as long as it may be
        assert [len(block.lines) for block in blocks(list(spans))] == [3]
        return
    assert files.read_span(next(spans)) == Block(1, [b"a", b"b"])
    with pytest.raises(UnusableFileError, match="line 3 is longer than 1024 KiB"):
        next(spans)


def test_a_file_that_was_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\nb\n")
    (span,) = find(path)
    path.write_bytes(b"a\nc\n")
    os.utime(path, ns=(0, 0))
    with pytest.raises(UnusableFileError, match="was changed while it was read"):
        files.read_span(span)
