from django.db import migrations, models

# A key that one caller used at two addresses keeps its newer answer. A repeat of the older call is refused from now on:
# it does not run again.
KEEP_NEWEST = """
DELETE FROM core_idempotentanswer AS older USING core_idempotentanswer AS newer
WHERE older.actor = newer.actor AND older.key = newer.key AND older.id < newer.id
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0004_audit_heads_and_anchors")]

    operations = [
        migrations.RemoveConstraint(model_name="idempotentanswer", name="core_idempotent_once"),
        migrations.RunSQL(KEEP_NEWEST, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="idempotentanswer",
            constraint=models.UniqueConstraint(fields=("actor", "key"), name="core_idempotency_key_once"),
        ),
    ]
