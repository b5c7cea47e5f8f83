"""Model fields that the database holds under the key of the person they are about.

A model with such fields has a foreign key `personal_key` declared after them; the key is made with the first of them
that is saved. They are opened when read. They are written by `save()` and `bulk_create()`: `update()` knows no person
and is refused, as is every lookup but `isnull` and the search for whole words or their beginnings (`icontains`).
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Lookup
from django.db.models.lookups import Exact, IsNull

from core import personal_keys, sealing
from core.told import Told, kept

COMPARED_IN_TRIGGERS = "df"  # pgtrigger's IS DISTINCT FROM, of the sealed bytes before and after


class Sealed:
    """Mix in before a text field; `marks` names the field of the model that its words are found by."""

    def __init__(self, *args: Any, marks: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.marks = marks

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()  # type: ignore[misc]  # Field's, by mixing in
        return name, path, args, {**kwargs, **({"marks": self.marks} if self.marks else {})}

    def db_type(self, connection: Any) -> str:
        return "text"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return None if value is None else personal_keys.open_text(value)

    def pre_save(self, model_instance: Any, add: bool) -> Any:  # noqa: FBT001  as in Django
        value = getattr(model_instance, self.attname)  # type: ignore[attr-defined]  # as above
        if not value:
            return value
        if model_instance.personal_key_id is None:
            model_instance.personal_key = personal_keys.make_key()
        return personal_keys.seal_text(str(value), key_id=model_instance.personal_key_id)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str) and value and sealing.read_token(value) is None:
            raise FieldError(f"{self} is sealed: save the row instead of updating a query.")
        return super().get_db_prep_save(value, connection)  # type: ignore[misc]  # as above

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == COMPARED_IN_TRIGGERS:
            return super().get_lookup(lookup_name)  # type: ignore[misc]  # as above
        known = {"isnull": IsNull, "exact": _EmptyOnly, "icontains": _Words if self.marks else None}
        lookup = known.get(lookup_name)
        if lookup is None:
            raise FieldError(f"{self} is sealed: the database cannot look for {lookup_name}.")
        return lookup

    def get_transform(self, lookup_name: str) -> Any:
        return None


class _EmptyOnly(Exact):
    """Whether there is nothing: the one thing the database can tell of two sealed texts."""

    def get_prep_lookup(self) -> Any:
        if self.rhs:
            raise FieldError("A sealed text can be compared with the empty one only.")
        return self.rhs


class _Words(Lookup):
    """Every word of what is looked for is a word, or the beginning of one, in what is marked."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        quote = compiler.quote_name_unless_alias
        marks = self.lhs.target.model._meta.get_field(self.lhs.target.marks)
        wanted = [sealing.mark_of(word) for word in sealing.words_of(str(self.rhs))] or ["no word"]
        return f"{quote(self.lhs.alias)}.{quote(marks.column)} @> %s::varchar[]", [wanted]


class Opened:
    """Mix in before a text field that is given sealed already, under the key of somebody named elsewhere.

    What is read of it is `Told`: it can be saved again, into a history too, as it was kept. `about` names the way to
    the row that has the key, for texts from before there were keys (`personal_keys seal`).
    """

    def __init__(self, *args: Any, about: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.about = about

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()  # type: ignore[misc]  # Field's, by mixing in
        return name, path, args, {**kwargs, **({"about": self.about} if self.about else {})}

    def db_type(self, connection: Any) -> str:
        return "text"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value is None or sealing.read_token(value) is None:
            return value
        return Told(personal_keys.open_text(value), value)

    def get_prep_value(self, value: Any) -> Any:
        return kept(super().get_prep_value(value))  # type: ignore[misc]  # as above


class OpenedCharField(Opened, models.CharField):  # type: ignore[type-arg]  # Django's takes none at run time
    """A line that was sealed by whoever wrote it."""


class OpenedTextField(Opened, models.TextField):  # type: ignore[type-arg]  # as above
    """A text that was sealed by whoever wrote it."""


class OpenedBinaryField(models.BinaryField):  # type: ignore[type-arg]  # as above
    """Bytes that were sealed by whoever stored them; none once the key is gone. They are never saved again."""

    def __init__(self, *args: Any, about: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.about = about

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, **({"about": self.about} if self.about else {})}

    def from_db_value(self, value: bytes | None, expression: Any, connection: Any) -> bytes | None:
        return None if value is None else personal_keys.open_bytes(bytes(value))


class SealedCharField(Sealed, models.CharField):  # type: ignore[type-arg]  # as above
    """A line of text under its person's key."""


class SealedTextField(Sealed, models.TextField):  # type: ignore[type-arg]  # as above
    """A text under its person's key."""


class SealedEmailField(Sealed, models.EmailField):  # type: ignore[type-arg]  # as above
    """An e-mail address under its person's key."""


class MarksField(ArrayField):  # type: ignore[type-arg]  # as above
    """Keyed hashes of the words in other fields of the row: what sealed fields are found by. Kept by `save()`."""

    def __init__(self, *, of: tuple[str, ...], **kwargs: Any) -> None:
        given = {"default": list, "editable": False, "blank": True, **kwargs}
        given["base_field"] = models.CharField(max_length=sealing.MARK_LENGTH)
        super().__init__(**given)
        self.of = tuple(of)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: Any, add: bool) -> list[str]:  # noqa: FBT001  as in Django
        marks = sealing.marks_of(*(getattr(model_instance, name) or "" for name in self.of))
        setattr(model_instance, self.attname, marks)
        return marks
