"""Files that are streamed to whoever asked for them, never held whole."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse


def zip_response(blocks: Iterable[bytes], *, name: str, size: int, sha256: str) -> StreamingHttpResponse:
    """A stored ZIP under its name; its hash is the ETag."""
    headers = {"Content-Length": str(size), "ETag": f'"{sha256}"'}
    return _attachment(blocks, name=name, content_type="application/zip", headers=headers)


def text_response(blocks: Iterable[bytes], *, name: str, content_type: str) -> StreamingHttpResponse:
    """Text that is made while it is sent."""
    return _attachment(blocks, name=name, content_type=f"{content_type}; charset=utf-8", headers={})


def _attachment(
    blocks: Iterable[bytes], *, name: str, content_type: str, headers: dict[str, str]
) -> StreamingHttpResponse:
    headers = {**headers, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(blocks, content_type=content_type, headers=headers)
