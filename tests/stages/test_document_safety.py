"""Nothing in a document can make the renderer read a file or call a host."""

import base64
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pypdf import PdfReader
from weasyprint.urls import URLFetcher

from invoicing.documents import press, render
from invoicing.documents.document import DocumentParty
from tests.builders import documents

SECRET_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><text y="30">LEAKED</text></svg>'


class Listener:
    """A host that writes down who called."""

    def __init__(self) -> None:
        calls: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                calls.append(self.path)
                self.send_response(302)
                self.send_header("Location", "file:///etc/passwd")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Keep the test's output clean."""

        self.calls = calls
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    host = Listener()
    yield host
    host.server.shutdown()
    host.server.server_close()


def svg(inside: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="200" height="60">{inside}</svg>'
    )


def hostile_logos(address: str, secret: Path) -> list[str]:
    inner = base64.b64encode(svg(f'<image href="http://{address}/nested" width="9" height="9"/>').encode()).decode()
    style = f"<style>@import url(http://{address}/css); text {{ fill: url(http://{address}/fill#a) }}</style>"
    return [
        svg(f'<image href="{secret.as_uri()}" width="200" height="60"/>'),
        svg(f'<image xlink:href="{secret}" width="200" height="60"/>'),
        svg(f'<image href="http://{address}/plain" width="9" height="9"/>'),
        svg(f'<image href="//{address}/no-scheme" width="9" height="9"/>'),
        svg(f'<image href="HTTP://{address}/capitals" width="9" height="9"/>'),
        svg(f'<image href="ftp://{address}/ftp" width="9" height="9"/>'),
        svg(f'<use href="http://{address}/use.svg#a"/>'),
        svg(f'{style}<text y="20">x</text>'),
        svg(f'<image href="data:image/svg+xml;base64,{inner}" width="9" height="9"/>'),
        f'<?xml-stylesheet href="http://{address}/sheet"?>{svg("")}',
        f'<!DOCTYPE svg [<!ENTITY e SYSTEM "{secret.as_uri()}">]>{svg("<text y=&quot;20&quot;>&e;</text>")}',
        f'"><img src="http://{address}/attribute"><iframe src="{secret.as_uri()}">',
    ]


def test_no_logo_reaches_a_file_or_a_host(listener: Listener, tmp_path: Path) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text(SECRET_SVG)
    for logo in hostile_logos(listener.address, secret):
        pdf = render.render_pdf(documents.document(logo_svg=logo))
        assert "LEAKED" not in "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages), logo
    assert listener.calls == []


def test_no_text_reaches_a_host(listener: Listener) -> None:
    text = f'<link rel=stylesheet href="http://{listener.address}/a"><img src="http://{listener.address}/b">'
    party = DocumentParty(name=text, address=(text,), tax_id=text, email=text)
    line = documents.line(description=text, unit=text, adjusts=text)
    render.render_pdf(
        documents.document(seller=party, customer=party, bank_details=(text,), notes=(text,), lines=(line,))
    )
    assert listener.calls == []


def test_the_listener_would_have_noticed(listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with WeasyPrint's own fetcher the same logos do call and do read."""
    secret = tmp_path / "secret.svg"
    secret.write_text(SECRET_SVG)
    monkeypatch.setattr(press, "_fetcher", URLFetcher)
    pages = [
        render.render_pdf(documents.document(logo_svg=logo)) for logo in hostile_logos(listener.address, secret)[:3]
    ]
    assert listener.calls == ["/plain"]
    assert "LEAKED" in PdfReader(io.BytesIO(pages[0])).pages[0].extract_text()


@pytest.mark.parametrize(
    "logo",
    [
        "not svg at all",
        "<svg",
        svg("<g>" * 2000 + "</g>" * 2000),
        '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
        + f"]>{svg('<text>&j;</text>')}",
    ],
)
def test_a_broken_or_swollen_logo_leaves_the_invoice_readable(logo: str) -> None:
    pdf = render.render_pdf(documents.document(logo_svg=logo))
    assert "Total (EUR)" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
