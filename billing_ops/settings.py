"""Settings, read from the environment; a missing or malformed one that matters stops the start with one line."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured

from billing_ops import backoffice_menu
from core import embedded_postgres, outbound, postgres_place

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def stop(setting: str, advice: str) -> None:
    sys.exit(f"billing-ops: {setting} {advice}")


DEBUG = env.bool("DEBUG", default=False)
DEVELOPMENT = env.bool("BILLING_OPS_DEVELOPMENT", default="DATABASE_URL" not in os.environ)

# The embedded database is a development and single-machine default; with it a local key file is made on first use.
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEVELOPMENT:
        stop("SECRET_KEY", "is not set; set it to 50 or more random characters")
    SECRET_KEY = embedded_postgres.local_secret_key()

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEVELOPMENT else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    # Before the admin, whose templates they replace.
    "unfold.apps.BasicAppConfig",  # the default one would put its own site in the place of ours
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "billing_ops.apps.BackOfficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "simple_history",
    "pgtrigger",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "core",
    "accounts",
    "metering",
    "invoicing.pricing",
    "invoicing.rating",
    "invoicing.ledger",
    "invoicing.documents",
    "invoicing.notices",
    "invoicing.policy",
    "invoicing.effects",
    "invoicing.cycle",
    "invoicing.payments",
    "invoicing.exposure",
    "invoicing.alerts",
    "invoicing.charge_controls",
    "invoicing.off_cycle",
    "invoicing.portal",
    "invoicing.replay",
    "compliance.payouts",
    "compliance.evidence",
    "compliance.launch",
    "compliance.erasure",
    "compliance.disputes",
    "billing_ops",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "core.http.middleware.RefuseNul",
    "core.http.middleware.SayWhatIsNotAvailable",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.http.middleware.KeptContentPolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "metering.api.short_way.ShortWay",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "billing_ops.urls"
WSGI_APPLICATION = "billing_ops.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# No page and no call may hold a lock or a connection for long; work that takes longer is a job or a command.
WEB_LIMITS = "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"


def database() -> dict[str, Any]:
    """PostgreSQL from DATABASE_URL, or the embedded one's socket under BILLING_OPS_HOME."""
    if "DATABASE_URL" not in os.environ:
        config: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", **embedded_postgres.connection_settings()}
    else:
        try:
            config = env.db_url("DATABASE_URL")
        except (ImproperlyConfigured, ValueError) as error:
            stop("DATABASE_URL", f"is malformed ({error}); write postgres://user:password@host:5432/name")
        if config.get("ENGINE") != "django.db.backends.postgresql":
            stop("DATABASE_URL", "must name a PostgreSQL database: postgres://user:password@host:5432/name")
    config["CONN_HEALTH_CHECKS"] = True
    config.setdefault("OPTIONS", {})["application_name"] = env.str("BILLING_OPS_PROCESS", default="billing-ops")
    if env.bool("BILLING_OPS_WEB", default=False):
        config["CONN_MAX_AGE"] = None  # one kept connection per web thread; forked workers must never share a pool
        config["OPTIONS"].setdefault("options", WEB_LIMITS)
    return config


DATABASES = {"default": database()}
CLICKHOUSE_URL = env.str("CLICKHOUSE_URL", default="")  # where raw events live once `event_store switch` has said so
CLICKHOUSE_CLUSTER = env.str("CLICKHOUSE_CLUSTER", default="")  # its name in the server's `remote_servers`
EVENT_ARCHIVE = env.str("EVENT_ARCHIVE", default=str(postgres_place.home() / "archive"))  # months put away as Parquet
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["accounts.authentication.GuardedBackend"]
LOGIN_URL = "/portal/login/"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

SECURE_COOKIES = env.bool("SECURE_COOKIES", default=not DEVELOPMENT)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEVELOPMENT)
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_COOKIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The admin's Alpine.js evaluates expressions; no page has a script of its own inside it.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "billing_ops.formats"  # a language's own formats win over DATE_FORMAT and its like
USE_I18N = False  # the product speaks English; nothing to negotiate, nothing to load per request

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "billing_ops" / "static"]
WHITENOISE_USE_FINDERS = True  # served from where the packages keep them: nothing to collect, nothing to go stale
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "accounts.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.DenyUnlessRuled"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.http.parsing.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "core.http.pagination.NewestFirstCursor",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS tells nothing that the OpenAPI page does not
    "EXCEPTION_HANDLER": "core.http.problems.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Billing Ops API",
    "DESCRIPTION": (
        "Usage in, invoice out. Money and quantities are decimal strings; instants are RFC 3339 in UTC. What events of "
        "a type must hold, with a box to try one, is on the page that `GET contracts` names for each of them."
    ),
    "VERSION": "v1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "GET_LIB_DOC_EXCLUDES": "billing_ops.api_description.internal_docs",
    # One name each, where the same word means different sets of values in different answers.
    "ENUM_NAME_OVERRIDES": {
        "PaymentStatus": "invoicing.payments.models.payments.STATUSES",
        "PaymentStep": "invoicing.payments.models.payments.STEPS",
        "PaymentMethod": "invoicing.payments.models.Payment.Method",
        "GatewayEventOutcome": "invoicing.payments.models.events.OUTCOMES",
        "PayableStatus": ["open", "paid", "withdrawn"],
        "ReleaseOutcome": ["released", "blocked"],
        "PayeeKind": "compliance.payouts.models.payees.PAYEE_KINDS",
        "GateState": "compliance.payouts.models.gates.STATE_LABELS",
        "EventOutcome": ["accepted", "duplicate", "quarantined"],
        "ProposalStatus": "invoicing.pricing.models.proposals.ProposalStatus",
        "InvoiceKind": "invoicing.cycle.models.Invoice.Kind",
        "InvoiceStatus": "invoicing.cycle.models.Invoice.Status",
        "InvoiceBulkAction": "invoicing.cycle.models.BulkReview.Action",
        "DeltaKind": "invoicing.cycle.models.DeltaReport.Kind",
        "DeltaCause": "invoicing.cycle.models.DeltaRow.Cause",
        "DeltaStatus": "invoicing.cycle.models.DeltaReport.Status",
        "InterimCause": "invoicing.cycle.models.InterimFiring.Cause",
        "DocumentType": "invoicing.cycle.models.DocumentType",
        "InvoiceTermKind": "invoicing.pricing.models.InvoiceTerm.Kind",
        "ReviewStatus": "metering.models.ReviewItem.Status",
        "HoldReasonUse": "invoicing.cycle.models.HoldReason.Use",
        "ApprovalOutcome": ["approved", "first_of_two", "refused"],
        "TraceVerdict": ["equal", "different"],
        "Access": "invoicing.charge_controls.models.ACCESS",
        "DisputeStatus": "compliance.disputes.models.disputes.STATUSES",
        "DisputePath": "compliance.disputes.models.disputes.PATHS",
        "DisputeOutcome": "compliance.disputes.models.disputes.OUTCOMES",
        "DisputeOwnerRole": "compliance.disputes.models.policies.OWNERS",
        "DisputeReason": "compliance.disputes.models.Dispute.Reason",
        "DisputeOrigin": "compliance.disputes.models.Dispute.Origin",
        "ErasureStatus": "compliance.erasure.models.ErasureRequest.Status",
        "ErasureKind": "compliance.erasure.models.ErasureRequest.Kind",
        "ErasureGround": "compliance.erasure.models.ErasureRequest.Ground",
        "ErasureRefusal": "compliance.erasure.rules.refusals.REFUSALS",
        "BackfillStatus": "metering.models.Backfill.Status",
        "LaunchBox": "compliance.launch.models.checks.BOXES",
        "LaunchBoxState": ["closed", "open", "too_old", "not_checked"],
        "SigningRole": "invoicing.policy.models.ROLES",
        "ExceptionRole": "compliance.launch.models.decisions.ROLES",
        "GoLiveOutcome": "compliance.launch.models.GoLiveDecision.Outcome",
        "SampleKind": "compliance.launch.models.SampleWalk.Kind",
        "BulkAction": "metering.models.BulkDecision.Action",
    },
}

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # django-q2 keeps its cluster statistics in a cache that every process can see.
    "shared": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_shared_cache"},
}
Q_CLUSTER = {
    "name": "billing-ops",
    # Every worker listens to a queue of its own, so that a pulse proves that this very worker does its rounds.
    "cluster_name": env.str("BILLING_OPS_WORKER", default="billing-ops"),
    "orm": "default",
    "workers": env.int("WORKERS", default=2),
    "timeout": 300,
    "retry": 900,  # three times the timeout: the retry clock starts when a task is fetched
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "scheduler": False,  # the supervisor's pulse is the clock
    "guard_cycle": 1,
    "log_level": "WARNING",
    "save_limit": 500,
    "bulk": 1,
    "poll": 0.5,
    "cache": "shared",
}

SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="Billing Ops <billing-ops@localhost>")
ALERT_BY_EMAIL = "EMAIL_URL" in os.environ
# Heads of the audit chain are signed, and put where whoever changes the database does not reach.
AUDIT_SIGNING_KEY = env.str("AUDIT_SIGNING_KEY", default="")
if AUDIT_SIGNING_KEY and not re.fullmatch(r"[0-9a-fA-F]{64}", AUDIT_SIGNING_KEY):
    stop("AUDIT_SIGNING_KEY", "is 64 hex digits; make one: python -c 'import secrets; print(secrets.token_hex(32))'")
# What is kept of persons lies under keys that these wrap: the first one wraps, the others still open.
PERSONAL_DATA_KEYS = env.list("PERSONAL_DATA_KEYS", default=[])
if not all(re.fullmatch(r"[0-9a-fA-F]{64}", key) for key in PERSONAL_DATA_KEYS):
    stop("PERSONAL_DATA_KEYS", "are 64 hex digits each, with commas between; make one as for AUDIT_SIGNING_KEY")
_BESIDE = "" if "DATABASE_URL" in os.environ else str(postgres_place.home() / "anchors" / "audit.ndjson")
AUDIT_ANCHOR_FILE = env.str("AUDIT_ANCHOR_FILE", default=_BESIDE)
AUDIT_ANCHOR_EMAIL = env.str("AUDIT_ANCHOR_EMAIL", default="")
AUDIT_ANCHOR_URL = env.str("AUDIT_ANCHOR_URL", default="")
AUDIT_ANCHOR_TOKEN = env.str("AUDIT_ANCHOR_TOKEN", default="")
if AUDIT_ANCHOR_URL and (flaw := outbound.find_flaw(AUDIT_ANCHOR_URL)):
    stop("AUDIT_ANCHOR_URL", flaw)
# Stripe signs what it tells with this secret; of the key nothing is asked but which mode is ours.
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
if STRIPE_WEBHOOK_SECRET and not re.fullmatch(r"whsec_[!-~]{8,}", STRIPE_WEBHOOK_SECRET):
    stop("STRIPE_WEBHOOK_SECRET", "begins with whsec_; copy it from the page of the endpoint at Stripe")
STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="")
if STRIPE_API_KEY and not re.fullmatch(r"(sk|rk)_(live|test)_[!-~]+", STRIPE_API_KEY):
    stop("STRIPE_API_KEY", "begins with sk_live_, sk_test_, rk_live_ or rk_test_")
SLACK_WEBHOOK_URL = env.str("SLACK_WEBHOOK_URL", default="")
if SLACK_WEBHOOK_URL and (flaw := outbound.find_flaw(SLACK_WEBHOOK_URL)):
    stop("SLACK_WEBHOOK_URL", flaw)

UNFOLD = backoffice_menu.UNFOLD

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer() if not DEVELOPMENT else structlog.dev.ConsoleRenderer(colors=False),
    ],
    logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
