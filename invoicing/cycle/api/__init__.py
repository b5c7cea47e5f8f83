"""The HTTP door of invoices."""
