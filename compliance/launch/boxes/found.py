"""What looking at a box gives."""

from dataclasses import dataclass
from datetime import datetime

from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Closed or open, in a sentence, with its proof and the date of it; where it is open, how to close it."""

    box: Box
    is_closed: bool
    said: str
    remedy: str = ""
    proof: Proof
    proved_at: datetime
    program: str = ""
