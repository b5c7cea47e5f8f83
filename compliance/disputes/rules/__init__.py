"""Decisions about disputes as plain values."""
