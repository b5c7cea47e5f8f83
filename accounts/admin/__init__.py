"""Back-office pages of who we bill and who works here."""

from accounts.admin import customers, keys, people, portal

__all__ = ["customers", "keys", "people", "portal"]
