"""The table of the cache that every process shares; Django's `createcachetable` would be a second step to remember."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE core_shared_cache (
                cache_key varchar(255) NOT NULL PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX core_shared_cache_expires ON core_shared_cache (expires);
            """,
            "DROP TABLE core_shared_cache",
        )
    ]
