"""The project's settings on a test's database, with the chores, for a worker that a test starts."""

import os

from billing_ops.settings import *  # noqa: F403  a settings module takes over all of another
from billing_ops.settings import DATABASES as PROJECT_DATABASES
from billing_ops.settings import INSTALLED_APPS as PROJECT_APPS
from billing_ops.settings import Q_CLUSTER as PROJECT_QUEUE

DATABASES = {"default": {**PROJECT_DATABASES["default"], "NAME": os.environ["CHORES_DATABASE"]}}
Q_CLUSTER = {**PROJECT_QUEUE, "timeout": int(os.environ.get("CHORES_QUEUE_SECONDS", "300"))}
INSTALLED_APPS = [*PROJECT_APPS, "tests.builders.chores"]
