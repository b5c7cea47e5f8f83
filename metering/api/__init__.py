"""The HTTP doors of metering."""
