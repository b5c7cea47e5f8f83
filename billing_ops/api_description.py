"""What the description of the API leaves out: the words that shared base classes say to programmers."""

from drf_spectacular.plumbing import get_lib_doc_excludes

from accounts.permissions import RuledView
from core.http.serializers import KnownFieldsOnly
from core.http.views import IdempotentWrites


def internal_docs() -> list[type]:
    """Classes whose docstrings are not for callers, besides those of the library."""
    return [*get_lib_doc_excludes(), IdempotentWrites, RuledView, KnownFieldsOnly]
