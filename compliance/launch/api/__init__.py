"""The launch checklist over HTTP."""
