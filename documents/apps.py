from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self) -> None:
        """Let each app say what it keeps of documents, in its module `erasure`."""
        autodiscover_modules("erasure")
