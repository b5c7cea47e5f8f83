"""WSGI entry of the yardstick: the product's application with one address, `plain_view`, and no shorter way past it."""

from django.conf import settings

from billing_ops.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "billing_ops.bench.plain_view"
settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != "metering.api.short_way.ShortWay"]
application.load_middleware()
