"""Ed25519 signatures (RFC 8032) over short messages of our own, such as a head of the audit chain.

Not in constant time: it signs what this house wrote, on its own machine, a few times an hour. It needs no package, as
the verifier inside evidence packs must not need one either.
"""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # extended coordinates: x = X/Z, y = Y/Z, T = XY/Z
NEUTRAL: Point = (0, 1, 1, 0)


def public_key(seed: bytes) -> bytes:
    """The 32 bytes that verify what this seed of 32 bytes signs."""
    return _encode(_multiply(_expand(seed)[0], BASE))


def sign(message: bytes, *, seed: bytes) -> bytes:
    """64 bytes; the same message under the same seed always gives the same."""
    scalar, prefix = _expand(seed)
    key = public_key(seed)
    nonce = _number(prefix + message) % ORDER
    commitment = _encode(_multiply(nonce, BASE))
    challenge = _number(commitment + key + message) % ORDER
    return commitment + ((nonce + challenge * scalar) % ORDER).to_bytes(32, "little")


def is_valid(message: bytes, *, signature: bytes, key: bytes) -> bool:
    """Whether whoever has the seed of this public key signed these very bytes."""
    if len(signature) != 64 or len(key) != 32:  # noqa: PLR2004  the sizes of RFC 8032
        return False
    try:
        signer, commitment = _decode(key), _decode(signature[:32])
    except ValueError:
        return False
    answer = int.from_bytes(signature[32:], "little")
    if answer >= ORDER:
        return False
    challenge = _number(signature[:32] + key + message) % ORDER
    return _encode(_multiply(answer, BASE)) == _encode(_add(commitment, _multiply(challenge, signer)))


def _expand(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & ((1 << 254) - 8) | (1 << 254), digest[32:]


def _number(text: bytes) -> int:
    return int.from_bytes(hashlib.sha512(text).digest(), "little")


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(times: int, point: Point) -> Point:
    found = NEUTRAL
    while times:
        if times & 1:
            found = _add(found, point)
        point = _add(point, point)
        times >>= 1
    return found


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(text: bytes) -> Point:
    number = int.from_bytes(text, "little")
    y, sign_bit = number & ((1 << 255) - 1), number >> 255
    if y >= P:
        raise ValueError("not a point")
    x = _find_x(y, sign_bit)
    return x, y, 1, x * y % P


def _find_x(y: int, sign_bit: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign_bit):
        raise ValueError("not a point")
    return P - x if x & 1 != sign_bit else x


_BASE_Y = 4 * pow(5, -1, P) % P
_BASE_X = _find_x(_BASE_Y, 0)
BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)
