"""Calls to addresses that somebody configured: https to public hosts only, nothing followed, everything bounded."""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

from core.errors import DomainError

SECONDS_MAX = 10
ANSWER_BYTES_MAX = 64 * 1024
OK = range(200, 300)
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the clothes of a public one


class OutboundError(DomainError):
    """The call was not made, or was not answered with success."""

    code = "outbound"
    http_status = 502


class _PinnedConnection(http.client.HTTPSConnection):
    """Connects to the address that was looked at, so that a name cannot point elsewhere a moment later."""

    def __init__(self, host: str, *, port: int, address: str) -> None:
        super().__init__(host, port, timeout=SECONDS_MAX, context=ssl.create_default_context())
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), timeout=SECONDS_MAX)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)  # type: ignore[attr-defined]  # set by HTTPSConnection


def find_flaw(url: str) -> str | None:
    """Say why this address may not be called, as far as it can be told from its text."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a usable address"
    if parts.scheme != "https" or not parts.hostname:
        return "must be an https address with a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a name or password before its host"
    return "must use port 443" if port not in (None, 443) else None


def post_json(url: str, document: Any) -> None:
    """POST a JSON document; OutboundError unless the answer is a success. A redirect is none and is not followed."""
    post(url, orjson.dumps(document), headers={"Content-Type": "application/json"})


def post(url: str, body: bytes, *, headers: Mapping[str, str]) -> None:
    """POST these very bytes, under the same rules; whoever signs them signs what is sent."""
    _call("POST", url, body=body, headers=dict(headers))


def put(url: str, body: bytes, *, token: str = "") -> None:
    """PUT a JSON text, with a bearer token where there is one; OutboundError unless the answer is a success."""
    _call("PUT", url, body=body, headers={"Content-Type": "application/json", **_bearer(token)})


def get(url: str, *, token: str = "") -> bytes:
    """GET at most 64 KiB; OutboundError unless the answer is a success."""
    return _call("GET", url, headers=_bearer(token))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _call(method: str, url: str, *, body: bytes | None = None, headers: dict[str, str]) -> bytes:
    if flaw := find_flaw(url):
        raise OutboundError(f"The address {flaw}.")
    parts = urlsplit(url)
    connection = _PinnedConnection(_host(parts), port=parts.port or 443, address=find_public_address(_host(parts)))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.read(ANSWER_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        raise OutboundError(f"{_host(parts)} could not be reached: {error}.") from error
    finally:
        connection.close()
    if response.status not in OK:
        raise OutboundError(f"{_host(parts)} answered {response.status}.")
    return answer


def find_public_address(host: str) -> str:
    """Look the host up; OutboundError if any of its addresses is one of a private network, or of this machine."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundError(f"{host} cannot be found: {error}.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise OutboundError(f"{host} is not a public host, so it is not called.")
    return addresses[0]


def is_public(address: str) -> bool:
    """Say whether anybody on the internet could be meant by this address, and nobody nearer."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            return is_public(str(inner))
        if found in TRANSLATED:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


def _host(parts: SplitResult) -> str:
    return parts.hostname or ""
