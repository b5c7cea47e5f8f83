"""When each kind of recurring work is due next."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_shared_cache")]

    operations = [
        migrations.CreateModel(
            name="Recurrence",
            fields=[
                ("kind", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField()),
            ],
        ),
    ]
