"""Pages of money only show: what changes it is a stage function, and nothing is deleted."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.test import RequestFactory

from accounts.roles import Role
from tests.builders import people

pytestmark = pytest.mark.django_db
ROOMS = ("invoicing", "compliance")
# Kept by people, by forms of their own; none of them is an amount that somebody owes or is owed.
AGREED_BY_PEOPLE = {
    "cycle.HoldReason": "words that finance keeps",
    "ledger.GeneralLedgerNumber": "under which number an account is exported",
    "notices.Address": "who is told",
    "notices.Endpoint": "where notices are sent",
    "pricing.FeeProgram": "a name; its figures are proposed versions",
    "pricing.Plan": "a name; its terms and prices are proposed versions",
}
RIGHTS = ("add", "change", "delete")
WRITES = {"save", "create", "bulk_create", "update", "bulk_update", "delete", "get_or_create", "update_or_create"}
# `update` of a dict or a session is none of the database's.
NO_DATABASE = {"context", "values", "initial", "headers"}


def money_models() -> list[type[models.Model]]:
    """Every model of the rooms of money that has a page."""
    pages = admin.site._registry  # noqa: SLF001  the registry has no public reader
    return [
        model
        for model in pages
        if (apps.get_app_config(model._meta.app_label).name or "").startswith(ROOMS)
        and model._meta.label not in AGREED_BY_PEOPLE
    ]


def everybody() -> Any:
    """A request of somebody who holds every role and is a superuser."""
    request = RequestFactory().get("/")
    request.user = people.make_staff("everybody", *Role, is_superuser=True)
    return request


def test_pages_of_money_are_found() -> None:
    labels = {model._meta.label for model in money_models()}
    assert {
        "cycle.Invoice",
        "cycle.BillingCycle",
        "ledger.JournalEntry",
        "payouts.Payable",
        "payouts.PayoutBatch",
    } <= labels
    assert AGREED_BY_PEOPLE.keys() <= {model._meta.label for model in admin.site._registry}  # noqa: SLF001  as above


def test_nobody_adds_changes_or_deletes_money_by_a_form() -> None:
    request, loose = everybody(), []
    for model in money_models():
        page = admin.site._registry[model]  # noqa: SLF001  as above
        rights = [right for right in RIGHTS if getattr(page, f"has_{right}_permission")(request)]
        loose += [f"{model._meta.label}: {right}" for right in rights]
    assert loose == []


def test_no_list_of_money_is_edited_in_place() -> None:
    pages = {model: admin.site._registry[model] for model in money_models()}  # noqa: SLF001  as above
    assert [model._meta.label for model, page in pages.items() if page.list_editable] == []


def test_no_action_on_a_list_of_money_deletes() -> None:
    request = everybody()
    actions = {
        model._meta.label: set(admin.site._registry[model].get_actions(request))  # noqa: SLF001  as above
        for model in money_models()
    }
    assert {label: found for label, found in actions.items() if "delete_selected" in found} == {}


def test_rows_inside_a_page_of_money_are_read_only() -> None:
    request, loose = everybody(), []
    for model in money_models():
        for inline in admin.site._registry[model].get_inline_instances(request):  # noqa: SLF001  as above
            rights = [right for right in RIGHTS if getattr(inline, f"has_{right}_permission")(request, None)]
            loose += [f"{model._meta.label} / {inline.model._meta.label}: {right}" for right in rights]
    assert loose == []


def writes_in(tree: ast.AST) -> list[int]:
    """Lines that write a row themselves."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITES
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in NO_DATABASE)
    ]


def test_no_page_of_money_writes_a_row_itself() -> None:
    root = Path(settings.BASE_DIR)
    files = [file for room in ROOMS for file in (root / room).rglob("admin/*.py")]
    assert len(files) > 20
    found = {str(file.relative_to(root)): writes_in(ast.parse(file.read_text(encoding="utf-8"))) for file in files}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_write_would_be_seen() -> None:
    assert writes_in(
        ast.parse("invoice.save()\nInvoice.objects.filter(pk=1).update(total=1)\ncontext.update(x=1)")
    ) == [1, 2]
