"""RFC 9457, section 3, as a reader holds it against a problem document: ours, and the worked cases."""

from typing import Any

TEXTS = ("type", "title", "detail", "instance")
STATUS_MIN, STATUS_MAX = 100, 599


def flaws_of(document: Any) -> list[str]:
    """The members of a wrong type, which a reader would ignore; every member may be left out."""
    if not isinstance(document, dict):
        return ["it is not an object"]
    flaws = [name for name in TEXTS if name in document and not isinstance(document[name], str)]
    status = document.get("status", STATUS_MIN)
    if type(status) is not int or not STATUS_MIN <= status <= STATUS_MAX:
        flaws.append("status")
    return flaws


def type_of(document: dict[str, Any]) -> str:
    return str(document.get("type", "about:blank"))
