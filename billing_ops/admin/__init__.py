"""Back-office pages of the ground: background work and the audit chain; the queue's own tables stay out of sight."""

from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success

from billing_ops.admin import audit, jobs

for queue_model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(queue_model)  # it only wakes workers; what is to be done stands among the jobs

__all__ = ["audit", "jobs"]
