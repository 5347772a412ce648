"""The queue's own application: `celery --app config.celery worker`."""

import os
from typing import Any

from celery import Celery
from celery.beat import EmbeddedService, Scheduler
from celery.bootsteps import StartStopStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

QUEUES = ("parsing", "ocr", "embedding", "upkeep", "fetching", "evaluating")


class Beat(StartStopStep):
    """Celery's beat, as a thread of each worker: it lives and dies with it, and needs neither memory nor a file.

    It only says that time has passed. What is due stands in Postgres, so any number of them may tick.
    """

    def create(self, worker: Any) -> Any:
        return EmbeddedService(worker.app, thread=True, scheduler_cls=Scheduler)


app = Celery("footnote")
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Beat)
