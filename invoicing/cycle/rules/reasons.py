"""What counts as a reason: words that a colleague can read a year from now."""

from core.errors import InvalidInputError

LENGTH_MIN = 5
LENGTH_MAX = 1000


class ReasonMissingError(InvalidInputError):
    """No usable reason was given."""

    code = "reason_missing"


def clean_reason(text: str) -> str:
    """The reason without outer white space; ReasonMissingError if it is too short or too long to be one."""
    reason = text.strip()
    if not LENGTH_MIN <= len(reason) <= LENGTH_MAX or "\x00" in reason:
        raise ReasonMissingError(
            f"Give a reason of {LENGTH_MIN} to {LENGTH_MAX} characters that a colleague can follow.", pointer="/reason"
        )
    return reason
