"""Notice characters that no installed font can draw, and say once per document what to install."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

APT_FONTS = "apt-get install fonts-wqy-microhei fonts-noto-core"

_log = structlog.get_logger(__name__)


class _MissingGlyphs(logging.Filter):
    """Swallows WeasyPrint's line per missing character and keeps the character."""

    def __init__(self) -> None:
        super().__init__()
        self.characters: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if "notdef" not in record.msg or not isinstance(record.args, tuple):
            return True
        self.characters.append(str(record.args[0]))
        return False


@contextmanager
def missing_glyphs_reported(*, document: str) -> Iterator[None]:
    """Log one warning when the page shows boxes instead of letters; the document is printed all the same."""
    logger, missing = logging.getLogger("weasyprint"), _MissingGlyphs()
    logger.addFilter(missing)
    try:
        yield
    finally:
        logger.removeFilter(missing)
    if missing.characters:
        shown = "".join(dict.fromkeys(missing.characters))[:40]
        _log.warning("no installed font has these characters", document=document, characters=shown, remedy=APT_FONTS)
