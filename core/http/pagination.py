"""Lists page by cursor, newest first."""

from typing import Any, cast

from rest_framework.exceptions import NotFound, ParseError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

POSITION_DIGITS_MAX = 18  # every id has fewer


class NewestFirstCursor(CursorPagination):
    """`{"next", "previous", "results"}`; `page_size` up to 500."""

    ordering = "-pk"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    invalid_cursor_message = "The cursor is not one that this list gave out."

    def decode_cursor(self, request: Request) -> Cursor | None:
        """A cursor is text from outside: where the list is ordered by id, its position must be one."""
        try:
            cursor: Any = super().decode_cursor(request)
        except NotFound as error:
            raise ParseError(self.invalid_cursor_message) from error
        if cursor and cursor.position is not None and type(self).ordering == "-pk" and not _is_id(cursor.position):
            raise ParseError(self.invalid_cursor_message)
        return cast(Cursor | None, cursor)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= POSITION_DIGITS_MAX
