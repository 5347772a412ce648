from django.apps import AppConfig

# Tasks sent from any process go to our queue only if its application is loaded with Django.
from config.celery import app as celery_app

__all__ = ["ConfigConfig", "celery_app"]


class ConfigConfig(AppConfig):
    name = "config"
