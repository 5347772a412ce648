from chat.views.conversations import conversation, delete, home, message, rename
from chat.views.endpoint import endpoint, remove_endpoint
from chat.views.export import export
from chat.views.feedback import feedback
from chat.views.gaps import gaps
from chat.views.golden import golden
from chat.views.sources import source
from chat.views.stale import again, stale
from chat.views.trace import export_trace, trace

__all__ = [
    "again",
    "conversation",
    "delete",
    "endpoint",
    "export",
    "export_trace",
    "feedback",
    "gaps",
    "golden",
    "home",
    "message",
    "remove_endpoint",
    "rename",
    "source",
    "stale",
    "trace",
]
