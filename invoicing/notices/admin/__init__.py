"""Endpoints, addresses, and how notices were delivered."""

from invoicing.notices.admin import addresses, deliveries, endpoints

__all__ = ["addresses", "deliveries", "endpoints"]
