"""Whether this process lives, and whether it can serve: for load balancers and process managers."""

from functools import cache

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from core import heartbeats


class MigrationsWaitError(Exception):
    """The code is newer than the tables."""


def show_life(_request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})


def show_readiness(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and is migrated, else 503; silent workers do not stop the web."""
    try:
        workers = len(heartbeats.live_workers())
        is_migrated = _is_migrated()
    except Error:
        connection.close()
        return JsonResponse({"status": "no database"}, status=503)
    if not is_migrated:
        return JsonResponse({"status": "not migrated"}, status=503)
    return JsonResponse({"status": "ok", "workers": workers})


def _is_migrated() -> bool:
    try:
        return _find_migrated()
    except MigrationsWaitError:
        return False


@cache
def _find_migrated() -> bool:
    """Only the good answer is kept: once nothing waits, this process need not look again."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsWaitError
    return True
