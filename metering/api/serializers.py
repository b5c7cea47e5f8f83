"""Bodies and answers of metering's doors: translated here, decided in the stages."""

from typing import Any, ClassVar

from django.urls import reverse
from rest_framework import serializers

from core.http.fields import InstantField, JsonField
from metering.models import EventContract, EventContractVersion, QuarantinedEvent
from metering.rules.drafting import CONTENT, ContractDraft
from metering.rules.identities import ID_LENGTH_MAX

Field = serializers.Field[Any, Any, Any, Any]


class ReasonSerializer(serializers.Serializer[Any]):
    """Why an event was held back; `code` is stable, `pointer` (RFC 6901) says where in the event."""

    code = serializers.CharField()
    detail = serializers.CharField()
    pointer = serializers.CharField(allow_blank=True)


class CaptureItemSerializer(serializers.Serializer[Any]):
    """One event that was not simply accepted."""

    index = serializers.IntegerField(help_text="Its place in the body, from 0.")
    id = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=["duplicate", "quarantined"])
    reasons = ReasonSerializer(many=True, required=False)


class CaptureAnswerSerializer(serializers.Serializer[Any]):
    """received = accepted + duplicates + quarantined; accepted events are not listed."""

    received = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    items = CaptureItemSerializer(many=True)


class MeterTrialSerializer(serializers.Serializer[Any]):
    """What one meter would count of the event."""

    meter = serializers.CharField()
    unit = serializers.CharField()
    version = serializers.IntegerField(help_text="The version in force when the event happened.")
    aggregation = serializers.CharField()
    counts = serializers.BooleanField()
    value = serializers.CharField(
        allow_null=True, help_text="What it reads: a decimal, or any text for a unique count."
    )
    operation = serializers.CharField(help_text="`add` or `remove`, where the meter reads one.")
    why_not = serializers.CharField(help_text="Why it counts nothing.")


class TrialSerializer(serializers.Serializer[Any]):
    """What would become of the event if it were sent now."""

    status = serializers.ChoiceField(choices=["accepted", "duplicate", "quarantined"])
    reasons = ReasonSerializer(many=True)
    meters = MeterTrialSerializer(many=True)


class EventCorrectionSerializer(serializers.Serializer[Any]):
    """Why an event does not count: it was amended or cancelled by the event of that number, or is a cancellation."""

    kind = serializers.ChoiceField(choices=["amended", "cancelled", "cancels"])
    seq = serializers.IntegerField()


class EventSerializer(serializers.Serializer[Any]):
    """An accepted event."""

    seq = serializers.IntegerField(help_text="Its place in the order of capture.")
    id = serializers.CharField()
    type = serializers.CharField()
    subject = serializers.CharField(help_text="The code of the customer.")
    time = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    contract_version = serializers.IntegerField()
    batch = serializers.IntegerField()
    fingerprint = serializers.CharField(help_text="SHA-256 of the canonical event, in hex.")
    extras = JsonField(
        help_text="Other attributes, and `time` and `id` as sent where they said more than is shown above."
    )
    correction = EventCorrectionSerializer(allow_null=True, help_text="Null: the event counts.")

    def get_fields(self) -> dict[str, Field]:
        # Every serializer has `source` and `data` of its own, so these fields cannot be class attributes.
        return {"source": serializers.CharField(), **super().get_fields(), "data": JsonField()}


class EventFilterSerializer(serializers.Serializer[Any]):
    """What `GET events` can be narrowed by."""

    customer = serializers.CharField(required=False, max_length=60)
    meter = serializers.CharField(required=False, max_length=60)
    type = serializers.CharField(required=False, max_length=120)
    start = InstantField(required=False, help_text="Events that happened at or after this instant.")
    end = InstantField(required=False, help_text="Events that happened before this instant.")
    id = serializers.CharField(required=False, max_length=ID_LENGTH_MAX)

    def get_fields(self) -> dict[str, Field]:
        # As for EventSerializer.
        return {**super().get_fields(), "source": serializers.CharField(required=False, max_length=200)}


class QuarantineFilterSerializer(serializers.Serializer[Any]):
    """What `GET quarantine` can be narrowed by."""

    status = serializers.ChoiceField(choices=QuarantinedEvent.Status.choices, required=False)
    code = serializers.RegexField(r"^[a-zA-Z_]{1,60}$", required=False, help_text="A reason code.")
    type = serializers.CharField(required=False, max_length=200)
    subject = serializers.CharField(required=False, max_length=200)


class QuarantinedSerializer(serializers.ModelSerializer[QuarantinedEvent]):
    """An event that was not accepted, with its reasons."""

    type = serializers.CharField(source="event_type")
    reasons = ReasonSerializer(many=True)
    decided_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = QuarantinedEvent
        fields: ClassVar = [
            "id",
            "status",
            "event_id",
            "type",
            "subject",
            "reasons",
            "times_seen",
            "received_at",
            "raw",
            "decided_by",
            "decided_at",
            "decision_reason",
            "continues",
        ]

    def get_fields(self) -> dict[str, Field]:
        # As for EventSerializer.
        return {**super().get_fields(), "source": serializers.CharField()}


class ReleaseRequestSerializer(serializers.Serializer[Any]):
    """Why it is released; may be left out."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=1000)


class DiscardRequestSerializer(serializers.Serializer[Any]):
    """Why it will not be billed."""

    reason = serializers.CharField(max_length=1000)


class TakeUpRequestSerializer(serializers.Serializer[Any]):
    """Why what was discarded is looked at again."""

    reason = serializers.CharField(max_length=1000)


class ReleaseSerializer(serializers.Serializer[Any]):
    """What the new check said, and how the event stands now."""

    outcome = serializers.ChoiceField(choices=["accepted", "duplicate", "quarantined"])
    reasons = ReasonSerializer(many=True)
    event = QuarantinedSerializer()


class VersionSerializer(serializers.ModelSerializer[EventContractVersion]):
    """One version of a contract; its content is fixed once it was in force."""

    schema = JsonField(help_text="JSON Schema (2020-12) of `data`.")
    valid_examples = JsonField(help_text="`data` objects that capture must accept.")
    invalid_examples = JsonField(help_text='What capture must refuse, and why: `{"data", "code", "pointer"}` each.')

    class Meta:
        model = EventContractVersion
        fields: ClassVar = ["version", "status", *CONTENT, "created_at", "activated_at"]
        read_only_fields: ClassVar = ["version", "status", "created_at", "activated_at"]


class ContractSerializer(serializers.ModelSerializer[EventContract]):
    """A contract with all its versions, newest first."""

    type = serializers.CharField(source="event_type")
    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    meters = serializers.SlugRelatedField[Any](slug_field="code", many=True, read_only=True)
    page = serializers.SerializerMethodField(help_text="Where people read what to send, and try an event.")
    versions = VersionSerializer(many=True)

    class Meta:
        model = EventContract
        fields: ClassVar = ["type", "description", "owner", "meters", "page", "versions"]

    def get_page(self, contract: EventContract) -> str:
        return reverse("admin:metering_eventcontract_page", args=[contract.pk])


class NewVersionSerializer(serializers.Serializer[Any]):
    """The content of a version, and whether it is to be put in force at once."""

    schema = JsonField(help_text="JSON Schema (2020-12) of `data`.")
    billing_fields = serializers.ListField(
        child=serializers.CharField(max_length=120), help_text="Properties that billing requires in every event."
    )
    context_fields = serializers.ListField(
        child=serializers.CharField(max_length=120), default=list, help_text="Properties kept for attribution."
    )
    valid_examples = serializers.ListField(child=JsonField(), default=list)
    invalid_examples = serializers.ListField(
        child=JsonField(),
        default=list,
        help_text='What capture must refuse, and why: `{"data", "code", "pointer"}` each, as a capture would answer.',
    )
    accepts_past_days = serializers.IntegerField(default=1826, min_value=0, max_value=36_525)
    accepts_future_seconds = serializers.IntegerField(default=300, min_value=0, max_value=31_622_400)
    activate = serializers.BooleanField(default=False, help_text="Prove the examples and put it in force.")

    def draft(self) -> ContractDraft:
        return ContractDraft(**{name: self.validated_data[name] for name in CONTENT})


class NewContractSerializer(NewVersionSerializer):
    """A contract; where there is a `schema`, its first version is made with it."""

    type = serializers.CharField(max_length=120)
    description = serializers.CharField()
    schema = JsonField(required=False)
    billing_fields = serializers.ListField(child=serializers.CharField(max_length=120), default=list)

    def draft_if_any(self) -> ContractDraft | None:
        return self.draft() if "schema" in self.validated_data else None


class ContractChangeSerializer(serializers.Serializer[Any]):
    """What may change about a contract."""

    description = serializers.CharField()


class HealthFilterSerializer(serializers.Serializer[Any]):
    """The stretch of time that is looked at; the last 24 hours unless said otherwise."""

    start = InstantField(required=False)
    end = InstantField(required=False)
    window = serializers.ChoiceField(
        choices=["minute"], required=False, help_text="Also the minutes in which something came in; of a day at most."
    )
    type = serializers.CharField(required=False, max_length=200, help_text="With `source`: only the minutes of these.")

    def get_fields(self) -> dict[str, Field]:
        # As for EventSerializer.
        return {**super().get_fields(), "source": serializers.CharField(required=False, max_length=200)}


class LagSerializer(serializers.Serializer[Any]):
    """Seconds from the moment an event happened to the moment it could be counted."""

    p50 = serializers.CharField(
        allow_null=True,
        help_text="Half of the events were no later. Put together from whole minutes, in three digits: never lower "
        "than that of the single events, and over more than one minute it may be higher. Of a minute it is exact.",
    )
    p95 = serializers.CharField(
        allow_null=True, help_text="95 of 100 events were no later; put together from whole minutes in the same way."
    )
    max = serializers.CharField(allow_null=True, help_text="The latest event of these minutes.")


class HealthLineSerializer(serializers.Serializer[Any]):
    """Counts and rates; rates are decimal strings between 0 and 1, null where nothing was received."""

    received = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    acceptance_rate = serializers.CharField(allow_null=True, help_text="The share that was not held back.")
    duplicate_suppression_rate = serializers.CharField(allow_null=True, help_text="The share that was known already.")
    lag_seconds = LagSerializer()


class SourceHealthSerializer(HealthLineSerializer):
    """The same for one source and type."""

    type = serializers.CharField()

    def get_fields(self) -> dict[str, Field]:
        # As for EventSerializer.
        return {"source": serializers.CharField(), **super().get_fields()}


class MinuteHealthSerializer(HealthLineSerializer):
    """The same for one minute."""

    minute = serializers.DateTimeField(help_text="Its beginning.")


class HealthSerializer(HealthLineSerializer):
    """What came in between two instants."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    sources = SourceHealthSerializer(many=True)
    minutes = MinuteHealthSerializer(
        many=True, required=False, help_text="With `window=minute`: of all, or of the source and type asked for."
    )
    alarms = serializers.ListField(
        child=serializers.CharField(), help_text="What is wrong with the store of events now, and what to do."
    )
