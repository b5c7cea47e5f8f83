"""Lines that are the very bytes that we would write are read in one go; all others are read another way."""

import orjson
import pytest

from metering.rules import reading

GOOD = b'{"id":"a","data":{"n":1,"m":"x\xc3\xbc","k":true,"l":null}}'


def test_flat_lines_are_read_as_they_are() -> None:
    assert reading.read_flat([GOOD, GOOD]) == [orjson.loads(GOOD)] * 2


@pytest.mark.parametrize(
    "lines",
    [
        [b'{"id":"a","data":{"n":1.5}}'],
        [b'{"id":"a","data":{"n":1.50}}'],
        [b'{"id":"a","data":{"n":1e2}}'],
        [b'{"id":"a","data":{"n":123456789012345678901}}'],
        [b'{"id":"a","data":{"n":1,"n":1}}'],
        [b'{"id":"a","id":"a","data":{}}'],
        [b'{"id":"a","data":{"n":[1]}}'],
        [b'{"id":"a","data":{"n":{}}}'],
        [b'{"id":"a","data":{"n":"\\u0000"}}'],
        [b'{"id":"a","data":{"n":"\\u00e9"}}'],
        [b'{"id": "a","data":{}}'],
        [b' {"id":"a","data":{}}'],
        [b'{"id":"a","data":{}}\r'],
        [b'{"id":"a"}'],
        [b'{"id":"a","data":[]}'],
        [b"[1]"],
        [b""],
        [b'{"id":"a","data":{}},{"id":"b","data":{}}'],
        [b'{"id":"a","data":{', b'"n":1}}'],
        [b'{"id":"a"', b'"data":{}}'],
        [b'{"id":"\xff","data":{}}'],
    ],
)
def test_what_could_lose_anything_is_left_to_another_way(lines: list[bytes]) -> None:
    assert reading.read_flat(lines) is None
    assert reading.read_flat([GOOD, *lines]) is None
