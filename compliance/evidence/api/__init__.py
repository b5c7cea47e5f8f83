"""The HTTP door of traces."""
