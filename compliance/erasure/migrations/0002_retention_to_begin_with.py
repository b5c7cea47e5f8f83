"""The versions that the product comes with: to be confirmed by counsel, and followed by the next version if not."""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
RULES = [
    ("", 10, "The longest of the usual periods for accounting documents; have counsel confirm it for the seller."),
    ("DE", 8, "§ 147 (3) AO and § 14b (1) UStG, as of 1 January 2025 (Viertes Bürokratieentlastungsgesetz)."),
]


def add_rules(apps: Any, schema_editor: Any) -> None:
    """Two versions, of nobody."""
    rule = apps.get_model("erasure", "RetentionRule")
    for country, years, basis in RULES:
        rule.objects.create(country=country, years=years, basis=basis, effective_at=BEGAN, created_at=BEGAN)


class Migration(migrations.Migration):
    dependencies = [("erasure", "0001_first")]
    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
