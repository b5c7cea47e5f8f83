"""How much `POST events` will carry: more than that is refused at once, and nothing makes it eat memory."""

import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from core.errors import DomainError
from metering import capture
from metering.models import UsageEvent
from tests.builders import usage
from tests.builders.sender import Sender, codes

MEBIBYTE = 2**20
MEMORY_MAX = 64 * MEBIBYTE
JSON = "application/json"
LINES = "application/x-ndjson"


class Endless:
    """A body of the same bytes again and again; notes how much of it was asked for."""

    def __init__(self, chunk: bytes, size: int) -> None:
        self.chunk, self.left, self.given = chunk, size, 0

    def read(self, size: int, /) -> bytes:
        piece = (self.chunk * (size // len(self.chunk) + 1))[: min(size, self.left)]
        self.left -= len(piece)
        self.given += len(piece)
        return piece


def weigh(work: Callable[[], object]) -> tuple[str, int]:
    """The code of the refusal ("" for none), and the most memory that was in use at once."""
    tracemalloc.start()
    try:
        work()
        code = ""
    except DomainError as error:
        code = error.code
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return code, peak


def test_of_a_hundred_mebibytes_only_the_first_few_are_held() -> None:
    body = Endless(b'{"a": 1},', 100 * MEBIBYTE)
    code, peak = weigh(lambda: capture.read_delivery(body, content_type=JSON, encoding=""))
    assert code == "too_large"
    assert peak < MEMORY_MAX
    assert body.left == 0  # read to its end, so that the sender hears why


def test_a_body_without_end_is_given_up() -> None:
    body = Endless(b" ", 2**60)
    assert weigh(lambda: capture.read_delivery(body, content_type=JSON, encoding=""))[0] == "too_large"
    assert body.given < 150 * MEBIBYTE


@pytest.mark.parametrize("content_type", [JSON, LINES])
def test_a_gzip_bomb_goes_off_in_small_pieces(content_type: str) -> None:
    press = zlib.compressobj(9, wbits=31)
    bomb = b"".join(press.compress(b"\n" * MEBIBYTE) for _ in range(128)) + press.flush()
    assert len(bomb) < MEBIBYTE // 4
    stream = io.BytesIO(bomb)
    code, peak = weigh(lambda: capture.read_delivery(stream, content_type=content_type, encoding="gzip"))
    assert code == "too_large"
    assert peak < MEMORY_MAX


HEAVY = {
    "arrays": b"[" + b"[]," * (8 * MEBIBYTE // 3 - 10) + b"[]]",
    "objects": b"[" + b"{}," * (8 * MEBIBYTE // 3 - 10) + b"{}]",
    "numbers": b'[{"a":[' + b"0," * (4 * MEBIBYTE - 10) + b"0]}]",
    "fractions": b'[{"a":[' + b"1.5," * (2 * MEBIBYTE - 10) + b"1.5]}]",
    "texts": b'[{"a":[' + b'"ab",' * (8 * MEBIBYTE // 5 - 10) + b'"ab"]}]',
    "open brackets": b"[" * (8 * MEBIBYTE),
    "lines": b"{}\n" * (8 * MEBIBYTE // 3 - 10),
    "a million": b'[{"a":[' + b"1.5," * 262_000 + b"1.5]}]",
    "half a million": b'[{"a":[' + b"1.5," * 131_060 + b"1.5]}]",
    "just fewer": b'[{"a":[' + b"1.25," * 249_000 + b"1.25]}]" + b" " * (5 * MEBIBYTE),
}


@pytest.mark.parametrize("kind", HEAVY)
def test_no_body_takes_many_times_its_size(kind: str) -> None:
    body = HEAVY[kind]
    assert len(body) <= capture.BODY_BYTES_MAX
    content_type = LINES if kind == "lines" else JSON
    _, peak = weigh(lambda: capture.read_delivery(io.BytesIO(body), content_type=content_type, encoding=""))
    assert peak < MEMORY_MAX, f"{peak / MEBIBYTE:.0f} MiB"


@pytest.mark.django_db
class TestLimits:
    """Through the door."""

    @pytest.fixture
    def sender(self) -> Sender:
        usage.house()
        return Sender()

    def test_ten_thousand_events_are_taken_and_one_more_is_not(self, sender: Sender) -> None:
        events = [usage.event(str(number)) for number in range(10_000)]
        assert sender.send_gzip(json.dumps(events).encode()).json()["accepted"] == 10_000
        answer = sender.send_gzip(json.dumps([*events, usage.event("more")]).encode())
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def test_a_hundred_thousand_lines_are_too_many(self, sender: Sender) -> None:
        answer = sender.send(b"{}\n" * 100_000, LINES)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def test_an_event_of_64_kib_is_taken(self, sender: Sender) -> None:
        data = {"input_tokens": 1, "output_tokens": 1, "note": "x" * 64 * 1024}
        assert sender.send(usage.event("a", data=data)).json()["accepted"] == 1

    def test_an_event_of_more_than_256_kib_is_held_back_alone(self, sender: Sender) -> None:
        data = {"input_tokens": 1, "output_tokens": 1, "note": "x" * 256 * 1024}
        answer = sender.send([usage.event("a", data=data), usage.event("b")])
        assert (answer.json()["accepted"], codes(answer)) == (1, ["too_large"])

    def test_a_name_of_a_mebibyte_is_held_back(self, sender: Sender) -> None:
        long = "x" * MEBIBYTE
        answer = sender.send(
            [usage.event("a", data={"input_tokens": 1, "output_tokens": 1, long: 1}), usage.event(long)]
        )
        found = [[reason["code"] for reason in item["reasons"]] for item in answer.json()["items"]]
        assert found == [["too_large"], ["id_unusable"]]
        assert len(answer.content) < 10_000

    def test_a_hundred_mebibytes_get_an_answer(self, sender: Sender) -> None:
        answer = sender.send(b" " * 100 * MEBIBYTE)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert not UsageEvent.objects.exists()

    def test_a_bomb_gets_an_answer(self, sender: Sender) -> None:
        answer = sender.send(gzip.compress(b" " * 100 * MEBIBYTE), **{"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
