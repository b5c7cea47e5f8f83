"""Plays a set in databases of its own, in a process of its own: nothing live is written, whatever is in the set."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from core import scratch
from core.errors import DomainError
from invoicing.replay import program_code
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import Content
from metering.rules import exact_json

PURPOSE = "replay"
STATE_LENGTH = 32
WORDS_MAX = 2000
PLAY_SECONDS_MAX = 3600  # of one run, with all its orders of arrival
PARENT = "BILLING_OPS_REPLAY_PARENT"


class ReplayBrokenError(DomainError):
    """The set could not be played to its end."""

    code = "replay_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """All that came out, the SHA-256 of its canonical text, and of the sources that did it."""

    result: dict[str, Any]
    result_hash: str
    code_version: str


@dataclass(frozen=True, slots=True)
class _Worker:
    """The process that plays, the environment it has, and where its files are."""

    process: subprocess.Popen[bytes]
    folder: Path
    template: str


@contextmanager
def player() -> Iterator["Player"]:
    """Start the process; it ends with the block, and whatever it left in the server is gone."""
    state = program_code.hash_migrations()[:STATE_LENGTH]
    template = scratch.find_template(state=state)
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "replay_in_scratch"]
    with tempfile.TemporaryDirectory(prefix="replay-") as folder, (Path(folder) / "words").open("w+b") as words:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=scratch.environment_of(template) | {PARENT: str(os.getpid())},
            cwd=settings.BASE_DIR,
        )
        watchdog = threading.Timer(PLAY_SECONDS_MAX, process.kill)  # its forks end with it
        watchdog.start()
        try:
            yield Player(_Worker(process, Path(folder), template))
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()


class Player:
    """Plays one content after the other, each in a fresh database."""

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker

    def play(self, content: Content, *, seed: int | None = None, told: Callable[[], None] = lambda: None) -> Played:
        """Play it once; `told` hears of every step. ReplayBrokenError where it does not come to its end."""
        source, target = self._worker.folder / "content.json", self._worker.folder / "result.json"
        source.write_bytes(contents.canonical_text(content))
        target.unlink(missing_ok=True)
        with scratch.scratch_database(template=self._worker.template, purpose=PURPOSE) as environment:
            order = {
                "database": environment["PGDATABASE"],
                "content": str(source),
                "result": str(target),
                "seed": seed,
            }
            self._carry_out(order, told=told)
        if not target.exists():
            raise ReplayBrokenError(f"The replay ended without a result. {self._last_words()}")
        answer = exact_json.read(target.read_text(encoding="utf-8"))
        if "problem" in answer:
            raise ReplayBrokenError(f"The replay could not go on: {answer['problem']}")
        text = contents.canonical_text(answer["result"])
        return Played(result=answer["result"], result_hash=contents.hash_of(text), code_version=answer["code_version"])

    def _carry_out(self, order: dict[str, Any], *, told: Callable[[], None]) -> None:
        process = self._worker.process
        assert process.stdin is not None  # noqa: S101  both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(orjson.dumps(order) + b"\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            raise ReplayBrokenError(f"The replay's process has ended. {self._last_words()}") from error
        for line in process.stdout:
            message = orjson.loads(line)
            if "left" in message:
                return
            told()
        raise ReplayBrokenError(f"The replay's process has ended. {self._last_words()}")

    def _last_words(self) -> str:
        words = (self._worker.folder / "words").read_text(encoding="utf-8", errors="replace")
        return words[-WORDS_MAX:].strip()


def steps_of(contents_played: Sequence[Content], *, orders: int) -> int:
    """How many steps a run has to carry out, for its progress."""
    return sum(len(content["steps"]) for content in contents_played) + orders * len(contents_played[0]["steps"])
