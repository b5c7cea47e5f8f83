"""Which documents are taken as evidence, told by their first bytes and never by what they call themselves."""

_SIGNATURES = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
NAME_LENGTH_MAX = 120


def media_type_of(content: bytes) -> str | None:
    """The media type of a PDF, PNG or JPEG; None for anything else."""
    return next((media_type for start, media_type in _SIGNATURES.items() if content.startswith(start)), None)


def safe_name(name: str) -> str:
    """The last part of a path, in characters that no header and no file system takes amiss."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(character if character.isalnum() or character in "._- " else "_" for character in last).strip(" .")
    return kept[:NAME_LENGTH_MAX] or "document"
