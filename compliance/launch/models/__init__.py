"""What the launch checklist keeps."""

from compliance.launch.models.checklists import ChecklistApproval, ChecklistVersion
from compliance.launch.models.checks import BoxResult, CloseWalk, LaunchCheck
from compliance.launch.models.decisions import ExceptionSignature, GoLiveDecision, LaunchException
from compliance.launch.models.drills import RestoreDrill
from compliance.launch.models.samples import SampleAcceptance, SampleWalk
from compliance.launch.models.searches import InvariantSearch

__all__ = [
    "BoxResult",
    "ChecklistApproval",
    "ChecklistVersion",
    "CloseWalk",
    "ExceptionSignature",
    "GoLiveDecision",
    "InvariantSearch",
    "LaunchCheck",
    "LaunchException",
    "RestoreDrill",
    "SampleAcceptance",
    "SampleWalk",
]
