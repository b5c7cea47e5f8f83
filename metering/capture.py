"""Bodies of `POST events` off the wire: bounded, inflated, and read in the form that their media type names."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from functools import lru_cache
from typing import Protocol

from core.errors import DomainError
from metering.rules import reading
from metering.rules.adapters import binary
from metering.rules.reading import BatchTooLargeError, Delivery, NotABatchError

BODY_BYTES_MAX = 8 * 1024 * 1024  # inflated: 10,000 events of 800 bytes, or 32 of the largest
DRAIN_BYTES_MAX = 128 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
GZIP_WINDOW_BITS = 31
FORMS_KEPT = 64  # media types as senders write them
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
READERS: dict[str, Callable[[bytes], list[Delivery]]] = {
    "application/json": reading.read_document,
    "application/cloudevents+json": reading.read_document,
    "application/cloudevents-batch+json": reading.read_document,
    "application/x-ndjson": reading.read_lines,
}


class Readable(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes: ...


class UnsupportedFormError(DomainError):
    """A media type, character set or content coding that capture does not speak."""

    code = "unsupported_media_type"
    http_status = 415


def read_delivery(stream: Readable, *, content_type: str, encoding: str) -> list[Delivery]:
    """Read a request body into events, holding never more of it than `BODY_BYTES_MAX`."""
    read = _reader_of(content_type)
    body = read_body(stream, encoding=encoding)
    if not body.strip():
        raise NotABatchError("The body is empty; send one event, an array of events, or one event per line.")
    return read(body)


def read_request(stream: Readable, *, headers: Mapping[str, str]) -> list[Delivery]:
    """Read the events of a request: whole ones in the body, or one whose attributes are headers."""
    encoding = headers.get("Content-Encoding", "")
    if binary.is_binary(headers):
        return [binary.read_event(headers, read_body(stream, encoding=encoding))]
    return read_delivery(stream, content_type=headers.get("Content-Type", ""), encoding=encoding)


def read_body(stream: Readable, *, encoding: str) -> bytes:
    """Read a body of at most `BODY_BYTES_MAX`, inflated."""
    chunks = _chunks(stream)
    if encoding.strip().lower() == "gzip":
        chunks = _inflate(chunks)
    elif encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedFormError("Send the body as it is, or with Content-Encoding: gzip.")
    try:
        return _join_bounded(chunks).removeprefix(BYTE_ORDER_MARK)
    except BatchTooLargeError:
        _drain(stream)
        raise


def _drain(stream: Readable) -> None:
    """Read on and drop it: a sender that is still writing would see a broken connection instead of the reason."""
    left = DRAIN_BYTES_MAX
    while left > 0 and (chunk := stream.read(CHUNK_BYTES)):
        left -= len(chunk)


@lru_cache(maxsize=FORMS_KEPT)
def _reader_of(content_type: str) -> Callable[[bytes], list[Delivery]]:
    header = Message()
    header["Content-Type"] = content_type
    charset = header.get_content_charset("utf-8")
    reader = READERS.get(content_type.partition(";")[0].strip().lower())
    if reader is None or charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedFormError(f"Send UTF-8 with one of these as Content-Type: {', '.join(READERS)}.")
    return reader


def _chunks(stream: Readable) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _join_bounded(chunks: Iterator[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise BatchTooLargeError(f"The body is larger than {BODY_BYTES_MAX // 2**20} MiB; send it in parts.")
    return bytes(body)


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Inflate step by step, several members one after the other; a bomb goes off one small chunk at a time."""
    inflater = zlib.decompressobj(GZIP_WINDOW_BITS)
    try:
        for chunk in chunks:
            waiting = chunk
            while waiting:
                if inflater.eof:
                    inflater = zlib.decompressobj(GZIP_WINDOW_BITS)
                yield inflater.decompress(waiting, CHUNK_BYTES)
                waiting = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error as error:
        raise NotABatchError(f"The body is not gzip: {error}.") from error
    if not inflater.eof:
        raise NotABatchError("The gzip body ends too early; send it again.")
