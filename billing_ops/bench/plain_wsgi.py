"""WSGI entry of the yardstick: the product's application with one address, `plain_view`."""

from django.conf import settings

from billing_ops.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "billing_ops.bench.plain_view"
