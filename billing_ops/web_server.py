"""gunicorn's settings, one place for ./run serve, the container and systemd: `-c python:billing_ops.web_server`."""

import gc
import importlib
import os
from pathlib import Path

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = len(os.sched_getaffinity(0))
threads = 8  # small deliveries that come together share a commit, so it pays that several wait
timeout = 120
graceful_timeout = 20
keepalive = 15  # capture clients and proxies keep their connections
control_socket_disable = True  # it would be opened below HOME
raw_env = ["BILLING_OPS_WEB=1", "BILLING_OPS_PROCESS=billing-ops-web"]
if Path("/dev/shm").is_dir():  # noqa: S108  gunicorn makes its own private heartbeat file there, never on a slow disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def on_starting(_server: object) -> None:
    """Read the settings before any worker starts: a wrong one ends the whole server with its one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_ops.settings")
    importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])


def post_worker_init(_worker: object) -> None:
    """All views are imported before the first call, not by it, which takes a second of it.

    What was imported stays, so the collector need not look at it; and a delivery makes thousands of objects.
    """
    importlib.import_module("django.urls").get_resolver().url_patterns  # noqa: B018  reading it imports them
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
