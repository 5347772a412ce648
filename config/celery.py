"""The queue's own application: `celery --app config.celery worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

QUEUES = ("parsing", "ocr", "embedding", "upkeep")

app = Celery("footnote")
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
