"""One staff account per mailbox, so that a person cannot be two; as `accounts.rules.mailboxes` compares them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_credit_note_prefix"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.RunSQL(
            r"""
            CREATE UNIQUE INDEX accounts_one_account_per_mailbox
            ON auth_user (regexp_replace(lower(trim(email)), '\+[^@]*@', '@')) WHERE is_staff AND email <> ''
            """,
            "DROP INDEX accounts_one_account_per_mailbox",
        )
    ]
