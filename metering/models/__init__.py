"""Meters, event contracts, captured events, quarantine, watermarks, snapshots and file imports."""

from metering.models.archives import EventArchive
from metering.models.backfills import Backfill, StagedEvent
from metering.models.bulk import BulkDecision, BulkDecisionItem
from metering.models.capture import CaptureBatch, EventKey, QuarantinedEvent, UsageEvent
from metering.models.contracts import EventContract, EventContractVersion
from metering.models.corrections import EventCorrection
from metering.models.health import (
    AlertDelivery,
    ArrivalMinute,
    ArrivalProgress,
    ArrivalStream,
    HealthPolicy,
    ReviewItem,
    ReviewStep,
)
from metering.models.imports import ImportRun
from metering.models.meters import Aggregation, Meter, MeterVersion
from metering.models.rollups import OrderedMinute, RollupRepair, RollupSeries, UsageRollup
from metering.models.sealing import EventSealing, LaterSealing
from metering.models.snapshots import AggregationSnapshot, IdRange, TimeRange, Watermark
from metering.models.stores import Shipment, Store, StoreCopy, StoreSwitch
from metering.models.webhooks import WebhookSecret, WebhookSource

__all__ = [
    "Aggregation",
    "AggregationSnapshot",
    "AlertDelivery",
    "ArrivalMinute",
    "ArrivalProgress",
    "ArrivalStream",
    "Backfill",
    "BulkDecision",
    "BulkDecisionItem",
    "CaptureBatch",
    "EventArchive",
    "EventContract",
    "EventContractVersion",
    "EventCorrection",
    "EventKey",
    "EventSealing",
    "HealthPolicy",
    "IdRange",
    "ImportRun",
    "LaterSealing",
    "Meter",
    "MeterVersion",
    "OrderedMinute",
    "QuarantinedEvent",
    "ReviewItem",
    "ReviewStep",
    "RollupRepair",
    "RollupSeries",
    "Shipment",
    "StagedEvent",
    "Store",
    "StoreCopy",
    "StoreSwitch",
    "TimeRange",
    "UsageEvent",
    "UsageRollup",
    "Watermark",
    "WebhookSecret",
    "WebhookSource",
]
