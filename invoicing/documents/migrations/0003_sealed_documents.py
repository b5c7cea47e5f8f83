"""Documents may lie under a person's key; those from before are as they were."""

from typing import Any

import django.db.models.deletion
import pgtrigger
from django.db import migrations, models


def copy_hashes(apps: Any, schema_editor: Any) -> None:
    """What is kept of them is the document itself."""
    with pgtrigger.ignore("documents.StoredDocument:append_only"):
        apps.get_model("documents", "StoredDocument").objects.update(content_sha256=models.F("sha256"))


class Migration(migrations.Migration):
    dependencies = [("core", "0007_keys_of_persons"), ("documents", "0002_letters_about_disputes")]
    operations = [
        migrations.RemoveConstraint(model_name="storeddocument", name="documents_sha256_is_of_content"),
        migrations.AddField(
            model_name="storeddocument",
            name="content_sha256",
            field=models.CharField(default="", help_text="Of these bytes.", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="storeddocument",
            name="personal_key",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.personalkey",
            ),
        ),
        migrations.RunPython(copy_hashes, migrations.RunPython.noop),
    ]
