"""WeasyPrint behind one function: HTML to PDF, reaching nothing outside the page. Importing this needs Pango."""

import atexit
import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from weasyprint import CSS, HTML, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from core import collector

_HERE = Path(__file__).parent
_FONTS = {400: "inter-regular.woff2", 600: "inter-semibold.woff2"}
_FACE = '@font-face {{ font-family: "Inter"; font-weight: {weight}; src: url(data:font/woff2;base64,{data}); }}'

# Pango's font map is not made for threads, and the collector is paused for the whole process.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Types:
    """What all documents of a process share: the fonts and the parsed style sheet."""

    fonts: FontConfiguration
    styles: CSS


def print_html(html: str, *, identifier: bytes, files: Mapping[str, str], made_at: datetime) -> bytes:
    """The page as PDF with files (name → text) attached; equal arguments give equal bytes on one machine."""
    with _ONE_AT_A_TIME, collector.paused():
        types = _types()
        pdf = HTML(string=html, url_fetcher=_fetcher()).write_pdf(
            font_config=types.fonts,
            stylesheets=[types.styles],
            pdf_identifier=identifier,
            attachments=[
                Attachment(string=content, name=name, created=made_at, modified=made_at, url_fetcher=_fetcher())
                for name, content in files.items()
            ],
        )
    return bytes(pdf)


def _fetcher() -> URLFetcher:
    """Opens `data:` URLs and nothing else: no file of this machine, no host, no redirect."""
    return URLFetcher(allowed_protocols=("data",), allow_redirects=False)


@cache
def _types() -> _Types:
    atexit.register(_types.cache_clear)  # the fonts' temporary folder goes while Python can still remove it
    fonts = FontConfiguration()
    return _Types(fonts, CSS(string=style_sheet(), url_fetcher=_fetcher(), font_config=fonts))


def style_sheet() -> str:
    """The page's styles with the fonts inside, so that nothing has to be looked up."""
    folder = _HERE / "static" / "documents" / "fonts"
    faces = [
        _FACE.format(weight=weight, data=base64.b64encode((folder / name).read_bytes()).decode())
        for weight, name in _FONTS.items()
    ]
    return "\n".join([*faces, (_HERE / "invoice.css").read_text()])
