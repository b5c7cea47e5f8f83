"""ClickHouse's HTTP interface over the embedded chDB engine: what clickhouse-connect's HTTP client speaks, and no more.

Run as a program with a port and a folder. Only for tests: there is no user, no session and no stream.
"""

import gzip
import io
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlparse

import clickhouse_connect
import lz4.frame

INSERT = re.compile(
    rb"\s*insert\s+into\s+(\S+)\s*(?:\((.*?)\))?\s*(?:settings\s+.*?)?\s*format\s+(\w+)\s*\n", re.IGNORECASE | re.DOTALL
)
IS_QUESTION = re.compile(r"\s*(select|with|show|desc|explain|exists)\b", re.IGNORECASE)
FORMAT = re.compile(r"\bformat\s+(\w+)\s*;?\s*$", re.IGNORECASE)
# What the client says of its own connection; the engine has no such settings.
NOT_SETTINGS = {
    *("query", "query_id", "database", "user", "password", "role", "quota_key", "default_format", "buffer_size"),
    *("session_id", "session_check", "session_timeout", "compress", "decompress", "enable_http_compression"),
    *("wait_end_of_query", "client_protocol_version", "http_headers_progress_interval_ms"),
    *("send_progress_in_http_headers", "cancel_http_readonly_queries_on_client_close"),
}
_one_at_a_time = threading.Lock()
_engine: Any = None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._inflated(self._body()))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _inflated(self, body: bytes) -> bytes:
        coding = self.headers.get("Content-Encoding", "")
        if coding == "gzip":
            return gzip.decompress(body)
        if coding == "lz4":  # a frame for each block
            return bytes(lz4.frame.open(io.BytesIO(body)).read())
        return body

    def _answer(self, body: bytes) -> None:
        address = urlparse(self.path)
        if address.path == "/ping":
            self._send(200, b"Ok.\n")
            return
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        try:
            with _one_at_a_time:
                self._send(200, run(query, body))
        except Exception as error:  # noqa: BLE001  whatever it is, the client is told as ClickHouse tells it
            found = re.search(r"Code: (\d+)", str(error))
            code = found.group(1) if found else "1"
            self._send(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        usual = {"X-ClickHouse-Summary": '{"written_rows":"0"}', "X-ClickHouse-Timezone": "UTC"}
        for name, value in {**usual, **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def run(query: dict[str, str], body: bytes) -> bytes:
    """Run what came as the query, as the body, or as both."""
    settings = {name: value for name, value in query.items() if name not in NOT_SETTINGS and name[:6] != "param_"}
    parameters = {name[6:]: value for name, value in query.items() if name[:6] == "param_"} or None
    if query.get("database"):
        _engine.database = query["database"]
    statement = query.get("query", "")
    if not statement and (insert := INSERT.match(body)):
        table, columns, form = insert.groups()
        names = [name.strip().strip("`") for name in columns.decode().split(",")] if columns else None
        block = body[insert.end() :]
        _engine.raw_insert(table.decode(), names, insert_block=block, fmt=form.decode(), settings=settings)
        return b""
    statement = f"{statement}\n{body.decode()}" if statement and body else statement or body.decode()
    if not IS_QUESTION.match(statement):
        _engine.command(statement, parameters=parameters, settings=settings)
        return b""
    form = FORMAT.search(statement)
    asked = statement[: form.start()] if form else statement
    name = form.group(1) if form else query.get("default_format", "TabSeparated")
    answer: bytes = _engine.raw_query(asked, parameters=parameters, settings=settings, fmt=name)
    return answer


if __name__ == "__main__":
    _engine = clickhouse_connect.get_client(dsn=f"chdb://{sys.argv[2]}")
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
