"""Every address of the product, from the resolver itself."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One URL pattern: its whole route, the name with its namespace, and what answers there."""

    route: str
    name: str
    view: Callable[..., Any]

    @property
    def view_class(self) -> Any:
        return getattr(self.view, "cls", None) or getattr(self.view, "view_class", None)

    def fill(self, **values: Any) -> str:
        """A path of this pattern; parameters without a value get 1."""
        return "/" + PARAMETER.sub(lambda match: str(values.get(match[1], 1)), self.route)


def every_address() -> list[Address]:
    return list(_walk(get_resolver(), route="", namespace=""))


def _walk(resolver: URLResolver, *, route: str, namespace: str) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        longer = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern, route=longer, namespace=inner)
        elif isinstance(pattern, URLPattern):
            yield Address(route=longer, name=f"{namespace}{pattern.name or ''}", view=pattern.callback)
