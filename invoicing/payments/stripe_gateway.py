"""The one place that imports Stripe's SDK: whether a delivery is Stripe's."""

from datetime import datetime

import stripe

from core.errors import DomainError

TOLERANCE_SECONDS = 300


class SignatureError(DomainError):
    """Not signed with our secret, or not now."""

    code = "signature_invalid"
    http_status = 400


def require_signed(body: bytes, *, header: str, secret: str, at: datetime) -> None:
    """SignatureError unless one `v1` of the header signs exactly these bytes, within 300 s of `at` on either side.

    The SDK has no bound on the side of the future, so the time is compared here.
    """
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, secret, tolerance=None)
        signed_at = _time_of(header)
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise SignatureError("The signature does not belong to this body.") from error
    if abs(at.timestamp() - signed_at) > TOLERANCE_SECONDS:
        raise SignatureError("It was signed too long ago, or in the future; send it again.")


def _time_of(header: str) -> int:
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    if len(times) != 1:
        raise ValueError("one time, not several")
    return int(times[0])
