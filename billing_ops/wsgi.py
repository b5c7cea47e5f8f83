"""WSGI entry for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_ops.settings")

from core import embedded_postgres

embedded_postgres.ensure_configured()
application = get_wsgi_application()
