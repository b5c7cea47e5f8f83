"""What the walk of a line looks like as JSON, field by field."""

from typing import Any

from rest_framework import serializers

from compliance.evidence.followed import How
from compliance.evidence.trace import Counted
from core.http.fields import JsonField


class TraceSpanSerializer(serializers.Serializer[Any]):
    """`[start, end)`."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class TraceLineSerializer(serializers.Serializer[Any]):
    """What stands on the invoice."""

    id = serializers.IntegerField()
    position = serializers.IntegerField()
    invoice = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    description = serializers.CharField()
    segment = TraceSpanSerializer()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    adjusts = serializers.IntegerField(allow_null=True)


class TraceRatingSerializer(serializers.Serializer[Any]):
    """The price and what it made of the quantity."""

    rated_line = serializers.IntegerField()
    charge = serializers.CharField()
    price_version = serializers.IntegerField()
    version = serializers.IntegerField()
    model = serializers.CharField()
    params = JsonField()
    effective_at = serializers.DateTimeField()
    quantity = serializers.CharField()
    computation = JsonField()
    amount_exact = serializers.CharField()
    amount = serializers.CharField()
    rounding_level = serializers.CharField()
    rounding = serializers.CharField()
    part_count = serializers.IntegerField(allow_null=True)
    parts_digest = serializers.CharField()


class TraceShareSerializer(serializers.Serializer[Any]):
    """How much of a period: `part` of `whole`, in days, days of months of thirty, or microseconds."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    unit = serializers.ChoiceField(choices=["day", "day30", "second"])
    says = serializers.CharField(help_text="14 of 31 days.")


class TracePieceSerializer(serializers.Serializer[Any]):
    """A stretch that counts: the plan and the price that held in it, as agreed when the line was drafted."""

    time = TraceSpanSerializer()
    share = TraceShareSerializer()
    plan = serializers.CharField()
    plan_version = serializers.IntegerField()
    price_version = serializers.IntegerField(help_text="Its number, not its id.")


class TraceAgreedSerializer(serializers.Serializer[Any]):
    """What the line is for, worked out from the agreements; `share` is null where no period divides its amount."""

    share = TraceShareSerializer(allow_null=True)
    quantity = serializers.CharField(allow_null=True, help_text="The number agreed, such as of seats.")
    paid_in_advance = TraceSpanSerializer(
        allow_null=True, help_text="The time that was paid, where the line says how much of it was used."
    )
    pieces = TracePieceSerializer(many=True)


class TraceOtherLineSerializer(serializers.Serializer[Any]):
    """A line that this one rates, or that rates this one among others; `line` is where it is billed."""

    rated_line = serializers.IntegerField()
    charge = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    amount = serializers.CharField()


class TraceFollowedSerializer(serializers.Serializer[Any]):
    """A later line that corrects this one, gives it back, or takes off what it billed."""

    how = serializers.ChoiceField(choices=[(str(one), str(one)) for one in How])
    invoice = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    line = serializers.IntegerField(help_text="Its id among the lines, or among the credit lines.")
    position = serializers.IntegerField()
    amount = serializers.CharField()
    trace = serializers.CharField(help_text="Where its own walk is.")


class TracePartSerializer(serializers.Serializer[Any]):
    """Some of the usage, as the price looks at it."""

    quantity = serializers.CharField()
    events = serializers.IntegerField()
    properties = JsonField()
    bucket = serializers.DateTimeField(allow_null=True)
    amount = serializers.CharField(allow_null=True)


class TracePartPageSerializer(serializers.Serializer[Any]):
    """A page of the parts in their order."""

    results = TracePartSerializer(many=True)
    next_after = serializers.IntegerField(allow_null=True)


class TraceSnapshotSerializer(serializers.Serializer[Any]):
    """What was measured, and which events it saw."""

    id = serializers.IntegerField()
    meter = serializers.CharField()
    aggregation = serializers.CharField()
    window = TraceSpanSerializer()
    quantity = serializers.CharField()
    event_count = serializers.IntegerField()
    unmeasured_count = serializers.IntegerField()
    digest = serializers.CharField()
    watermark = serializers.IntegerField()
    taken_at = serializers.DateTimeField()


class TraceBilledSerializer(serializers.Serializer[Any]):
    """What final invoices had billed of this usage before: an adjustment corrects it, any other line takes it off."""

    lines = serializers.ListField(child=serializers.IntegerField())
    quantity = serializers.CharField()
    amount = serializers.CharField()


class TraceCheckSerializer(serializers.Serializer[Any]):
    """One step done again."""

    step = serializers.CharField()
    claimed = serializers.CharField()
    found = serializers.CharField()
    equal = serializers.BooleanField()


class TraceProofSerializer(serializers.Serializer[Any]):
    """The way forward; `first_difference` names the step at which it leaves the books."""

    verdict = serializers.ChoiceField(choices=["equal", "different"])
    first_difference = serializers.CharField(allow_null=True)
    event_by_event = serializers.BooleanField(help_text="False: too many to look at one by one.")
    counted = serializers.ChoiceField(
        choices=[(str(one), str(one)) for one in Counted],
        help_text="`not now`: too many to count them again for this answer; ask with recount=true, or see recounted.",
    )
    checks = TraceCheckSerializer(many=True)


class TraceRecountSerializer(serializers.Serializer[Any]):
    """The last time that all events behind the line were counted again by a job."""

    finished_at = serializers.DateTimeField()
    equal = serializers.BooleanField()
    checks = TraceCheckSerializer(many=True)


class TraceEventSerializer(serializers.Serializer[Any]):
    """A source event, and whether its row still gives the fingerprint it was captured with."""

    seq = serializers.IntegerField()
    id = serializers.CharField()
    time = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    value = serializers.CharField(allow_null=True)
    fingerprint = serializers.CharField()
    as_captured = serializers.BooleanField()
    sealed_since = serializers.BooleanField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Every serializer has `source` and `data` of its own, so these fields cannot be class attributes.
        return {"source": serializers.CharField(), **super().get_fields(), "data": JsonField()}


class TraceCorrectionSerializer(serializers.Serializer[Any]):
    """The event by which another was amended or cancelled, and the sender's reason."""

    action = serializers.ChoiceField(choices=["amend", "cancel"])
    seq = serializers.IntegerField()
    id = serializers.CharField()
    time = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # As for TraceEventSerializer.
        return {**super().get_fields(), "data": JsonField()}


class TraceCorrectedSerializer(serializers.Serializer[Any]):
    """An event of the window that was not counted, because it was corrected by then."""

    seq = serializers.IntegerField()
    id = serializers.CharField()
    time = serializers.DateTimeField()
    correction = TraceCorrectionSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # As for TraceEventSerializer.
        return {"source": serializers.CharField(), **super().get_fields(), "data": JsonField()}


class TraceEventPageSerializer(serializers.Serializer[Any]):
    """A page of events in capture order."""

    results = TraceEventSerializer(many=True)
    next_after = serializers.IntegerField(allow_null=True)


class TraceSerializer(serializers.Serializer[Any]):
    """The walk of one line."""

    line = TraceLineSerializer()
    rating = TraceRatingSerializer()
    agreed = TraceAgreedSerializer(allow_null=True)
    snapshot = TraceSnapshotSerializer(allow_null=True)
    billed_before = TraceBilledSerializer(allow_null=True)
    stands_on = TraceOtherLineSerializer(many=True)
    carries = TraceOtherLineSerializer(many=True)
    followed = TraceFollowedSerializer(many=True)
    proof = TraceProofSerializer(allow_null=True)
    recounted = TraceRecountSerializer(allow_null=True)
    corrected = TraceCorrectedSerializer(many=True, help_text="With the first page; at most 100.")
    parts = TracePartPageSerializer(allow_null=True)
    events = TraceEventPageSerializer()
