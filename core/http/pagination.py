"""Lists page by cursor, newest first."""

from rest_framework.pagination import CursorPagination


class NewestFirstCursor(CursorPagination):
    """`{"next", "previous", "results"}`; `page_size` up to 500."""

    ordering = "-pk"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
