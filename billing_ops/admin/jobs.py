"""Background work: what waits, what failed and why, and the way back for what was given up."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from accounts import roles
from accounts.admin.forms import ConfirmForm
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.roles import Role
from core import work
from core.models import Job

TONES = {"queued": "info", "leased": "warning", "done": "success", "dead": "danger"}


@admin.register(Job)
class JobAdmin(BackOfficeAdmin):
    """Read only; the one decision is to try again what was given up."""

    list_display = ("kind", "key", "state_label", "attempts", "enqueued_at", "finished_at", "last_error")
    list_filter = ("state", "kind")
    search_fields = ("key", "last_error")
    ordering = ("-id",)
    actions_detail: ClassVar[list[str]] = ["try_again"]
    fields = (
        "kind",
        "key",
        "arguments",
        "state_label",
        "attempts",
        "attempts_max",
        "last_error",
        "enqueued_at",
        "run_after",
        "leased_by",
        "leased_until",
        "finished_at",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_retry_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        is_dead = Job.objects.filter(pk=object_id, state=Job.State.DEAD).exists()
        return is_dead and roles.has_role(request.user, [Role.OPS, Role.ENGINEERING])

    @action(
        description="Try again",
        permissions=["retry"],
        icon="replay",
        dialog={
            "title": "Try this work again",
            "description": "It gets all its attempts anew. What it did before is not done twice.",
            "form_class": ConfirmForm,
            "form_submit_text": "Try again",
        },
    )
    def try_again(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: work.retry_dead_job(job_id=int(object_id), at=timezone.now()),
            success="Queued again.",
            back_to=reverse("admin:core_job_change", args=[object_id]),
        )

    @display(description="State", label=TONES, ordering="state")
    def state_label(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()
