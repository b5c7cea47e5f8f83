"""Django's log of changes in the back office called rows by their names; it says their numbers from here on."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_customers_are_sealed"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]
    operations = [
        migrations.RunSQL(
            "UPDATE django_admin_log SET object_repr = 'number ' || coalesce(object_id, '')", migrations.RunSQL.noop
        )
    ]
