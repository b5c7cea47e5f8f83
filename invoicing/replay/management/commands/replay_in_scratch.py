"""`replay_in_scratch`: plays sets in scratch databases, as `invoicing/replay/engine.py` tells it line by line."""

import os
import sys
import traceback
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from core import processes
from core.errors import DomainError
from invoicing.replay import play, program_code
from invoicing.replay.engine import PARENT
from invoicing.replay.rules import content as contents
from metering.rules import exact_json

PURPOSE = "billing_ops_replay_"


class Command(BaseCommand):
    """Not for people: it works in no other database than one that was made for a replay.

    Each line on its input is one order: a database, a file with the content, a seed, and a file for the result. It is
    carried out by a fork, so that no two orders share anything that a process remembers.
    """

    help = "Internal: plays replay sets in scratch databases."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        processes.die_with_parent(int(os.environ[PARENT]))
        processes.bind_forks()
        for line in sys.stdin.buffer:
            order = orjson.loads(line)
            if not str(order["database"]).startswith(PURPOSE):
                raise CommandError(f"{order['database']} was not made for a replay")
            child = os.fork()
            if child == 0:
                _play_and_leave(order)
            _, status = os.waitpid(child, 0)
            _say({"left": os.waitstatus_to_exitcode(status)})


def _play_and_leave(order: dict[str, Any]) -> None:
    """In the fork: write what came out, or why nothing did, and end without the parent's clean-up."""
    try:
        connections["default"].settings_dict["NAME"] = order["database"]
        content = exact_json.read(Path(order["content"]).read_text(encoding="utf-8"))
        result = play.play(content, seed=order["seed"], told=lambda: _say({"step": True}))
        answer = {"result": result, "code_version": program_code.hash_sources()}
    except DomainError as error:
        answer = {"problem": f"{error.code}: {error.message}"}
    except BaseException as error:  # noqa: BLE001  whatever it is, whoever asked has to hear of it
        traceback.print_exc()
        answer = {"problem": f"{type(error).__name__}: {error}"}
    Path(order["result"]).write_bytes(contents.canonical_text(answer))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(message) + b"\n")
    sys.stdout.buffer.flush()
