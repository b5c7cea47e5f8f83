"""The one base of every error that a person or a program outside may see."""


class DomainError(Exception):
    """A refusal with a stable code, an HTTP status and a sentence that an operator can act on."""

    code = "refused"
    http_status = 409

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer

    def problems(self) -> list[dict[str, str]]:
        """The fields at fault, each as `{pointer, code, detail}`; none where it is not about a field."""
        return [{"pointer": self.pointer, "code": self.code, "detail": self.message}] if self.pointer else []


class NotAllowedError(DomainError):
    """The person or key lacks the role, or is the same person who must not decide this."""

    code = "not_allowed"
    http_status = 403


class InvalidInputError(DomainError):
    """A value that cannot be used; `pointer` (RFC 6901) names the field."""

    code = "invalid"
    http_status = 422


class NotFoundError(DomainError):
    """No such object, or none that this caller may see."""

    code = "not_found"
    http_status = 404
