"""Effects of proposed changes, and moves of many subscriptions, in the back office."""

from invoicing.effects.admin import moves, runs

__all__ = ["moves", "runs"]
