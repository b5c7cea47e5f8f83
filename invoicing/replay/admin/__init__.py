"""Replay sets and their runs in the back office."""

from invoicing.replay.admin import runs, sets

__all__ = ["runs", "sets"]
