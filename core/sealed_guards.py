"""What PostgreSQL refuses of rows about persons, whatever writes them."""

import pgtrigger

# Who was erased is not kept anew under another key.
ONE_KEY = pgtrigger.Protect(
    name="one_key_for_ever",
    operation=pgtrigger.Update,
    condition=pgtrigger.Q(old__personal_key__isnull=False)
    & pgtrigger.Q(old__personal_key__df=pgtrigger.F("new__personal_key")),
)


def plain_nowhere(*columns: str) -> pgtrigger.Trigger:
    """What the row says of its person is sealed; a row from before it had a key may still be plain."""
    said = ", ".join(f"NEW.{column}" for column in columns)
    return pgtrigger.Trigger(
        name="plain_nowhere",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Condition("NEW.personal_key_id IS NOT NULL"),
        # The names of columns are written by us.
        func=f"""
            IF EXISTS (SELECT 1 FROM unnest(ARRAY[{said}]) AS said (what)
                       WHERE what <> '' AND what NOT LIKE 'sealed:1:%') THEN
                RAISE EXCEPTION 'what is kept of a person is sealed' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  as above
    )
