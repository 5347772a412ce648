"""Every setting. The environment, or `.env` beside manage.py, is read here and nowhere else.

An unset one has a default that works; a wrong one stops the start and names itself.
"""

from __future__ import annotations

from pathlib import Path

from environs import Env
from environs import validate as must
from psycopg.conninfo import conninfo_to_dict

from config import embedded, validation

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(BASE_DIR / ".env", recurse=False)

# --- Where things are ---------------------------------------------------------------------------

DATA_DIR = (BASE_DIR / env.str("DATA_DIR", "var")).resolve()

EMBEDDED_POSTGRES = not env.str("DATABASE_URL", "")
DATABASE_URL = env.str("DATABASE_URL", "", validate=validation.postgres_address) or embedded.database_url(DATA_DIR)
"""For libpq: `postgresql://user:password@host/name`."""

EMBEDDED_VALKEY = not env.str("REDIS_URL", "")
REDIS_URL = env.str("REDIS_URL", "", validate=validation.redis_address) or embedded.redis_url(DATA_DIR)
"""`redis://…`, `rediss://…` or `unix:///path?db=0`: the answers' log, the tasks' queues, Channels and the cache."""

# --- Who may come in ----------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or embedded.kept_secret(DATA_DIR / "secret_key", embedded.random_secret)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
SECURE_COOKIES = env.bool("SECURE_COOKIES", any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS))
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0, validate=must.Range(0, 10))
"""How many reverse proxies stand before Footnote; their X-Forwarded-For and -Proto are then believed."""

# --- Models -------------------------------------------------------------------------------------

OPENAI_API_KEY = env.str("OPENAI_API_KEY", "")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", "", validate=validation.web_address) or "https://api.openai.com/v1"
CHAT_MODEL = env.str("CHAT_MODEL", "")
EMBEDDING_MODEL = env.str("EMBEDDING_MODEL", "")

OWN_HOSTS: frozenset[str] = frozenset(map(str.lower, env.list("OWN_HOSTS", [])))
"""Hosts of endpoints to which a library's text may go that is for own endpoints only, beside those that look local."""

CURRENCY = env.str("CURRENCY", "USD")
"""Of the models' prices."""

RERANK_URL = env.str("RERANK_URL", "", validate=validation.web_address)
RERANK_MODEL = env.str("RERANK_MODEL", "")
RERANK_API_KEY = env.str("RERANK_API_KEY", "")
RERANK_BY_CHAT_MODEL = env.bool("RERANK_BY_CHAT_MODEL", False)
VERIFY_BY_CHAT_MODEL = env.bool("VERIFY_BY_CHAT_MODEL", False)

EMBEDDING_PRICE = env.float("EMBEDDING_PRICE", 0, validate=must.Range(0))
RERANK_PRICE = env.float("RERANK_PRICE", 0, validate=must.Range(0))
"""Of a million tokens. What chat models cost stands in their rows."""

# --- Limits -------------------------------------------------------------------------------------

TOP_K = env.int("TOP_K", 9, validate=must.Range(1, 100))
"""Passages kept for an answer in the browser."""

RERANK_TOP_N = env.int("RERANK_TOP_N", 3, validate=must.Range(1, 100))
"""Those that are left of them where there is a reranker."""

CONTEXT_TOKENS = env.int("CONTEXT_TOKENS", 6000, validate=must.Range(500, 1_000_000))
"""Tokens of passages that go into a prompt."""

BM25_K1 = env.float("BM25_K1", 1.2, validate=must.Range(0, 10))
"""How much more a word counts that is in a passage more than once; by 0 no more."""

BM25_B = env.float("BM25_B", 0.75, validate=must.Range(0, 1))
"""How much long passages are held back, for having more words by their length alone; by 0 they aren't."""

MAX_UPLOAD_MB = env.int("MAX_UPLOAD_MB", 200, validate=must.Range(1, 10_000))

# --- Sources ------------------------------------------------------------------------------------

SOURCE_FOLDERS: list[str] = env.list("SOURCE_FOLDERS", [], validate=validation.folders)
"""Folders of this machine with which administrators may keep libraries in step in the browser, with all below them."""

SOURCE_PRIVATE_HOSTS: list[str] = env.list("SOURCE_PRIVATE_HOSTS", [])
"""Hosts that are fetched from, on any port, although they aren't on the public internet."""

# --- Django -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "channels",
    "allauth",
    "allauth.account",
    "config",
    "documents",
    "chat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

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
            ],
        },
    }
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "", validate=validation.time_zone) or "UTC"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Postgres -----------------------------------------------------------------------------------

_database = conninfo_to_dict(DATABASE_URL)

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname", ""),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "CONN_HEALTH_CHECKS": True,
        # Under ASGI each request has a thread of its own, so only a pool can keep connections.
        "OPTIONS": {**_database, "pool": {"min_size": 1, "max_size": 20, "timeout": 15}},
    }
}

# --- Redis protocol -----------------------------------------------------------------------------

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "footnote",
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # A layer waits 5 s at a time for a message; the client's own time-out of 5 s would end it just before.
            "hosts": [{"address": REDIS_URL, "socket_timeout": None}],
            "prefix": "footnote",
            "capacity": 1000,
        },
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 60 * 60, "socket_keepalive": True}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
CELERY_TASK_ROUTES = {
    "documents.tasks.index": {"queue": "parsing"},
    "documents.tasks.recognise": {"queue": "ocr"},
    "documents.tasks.reembed": {"queue": "embedding"},
    "documents.tasks.relate": {"queue": "embedding"},
    "documents.tasks.sync": {"queue": "fetching"},
    "documents.tasks.evaluate": {"queue": "evaluating"},
}
CELERY_BEAT_SCHEDULE = {
    "fetch_due": {"task": "documents.tasks.fetch_due", "schedule": 10.0, "options": {"expires": 10}},
}
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "threads"  # Each only waits for the worker's event loop: one process, one model.
CELERY_WORKER_CONCURRENCY = (
    env.int("WORKER_CONCURRENCY", 4, validate=must.Range(1, 64)) + 3
)  # OCR, re-embedding, relations.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- Files --------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DATA_DIR / "files",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "config.static.VersionedStorage"},
}
DATA_UPLOAD_MAX_NUMBER_FILES = 2000

# --- Signing in ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "documents.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "documents.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"

# --- What is said on the terminal ---------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["terminal"], "level": "INFO" if DEBUG else "WARNING"},
    # Wrong addresses and refused pages are the visitor's affair.
    "loggers": {"django.request": {"level": "ERROR"}, "psycopg.pool": {"level": "ERROR"}},
}
