"""What the back office looks like: title, colours and the side menu of every role."""

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Billing Ops",
    "SITE_HEADER": "Billing Ops",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
