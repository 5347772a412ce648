from __future__ import annotations

from django.urls import path

from chat import views
from chat.consumers import ChatConsumer

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/rename", views.rename, name="conversation-rename"),
    path("c/<uuid:conversation_id>/delete", views.delete, name="conversation-delete"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/", views.message, name="message"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/sources/<int:number>/", views.source, name="source"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/answer.<slug:form>", views.export, name="export"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/trace/", views.trace, name="trace"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/trace.json", views.export_trace, name="trace-export"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/feedback", views.feedback, name="feedback"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/again", views.again, name="again"),
    path("c/<uuid:conversation_id>/messages/<int:message_id>/golden", views.golden, name="golden-answer"),
    path("libraries/<int:library_id>/gaps/", views.gaps, name="gaps"),
    path("libraries/<int:library_id>/stale/", views.stale, name="stale"),
    path("model/", views.endpoint, name="endpoint"),
    path("model/<int:endpoint_id>/", views.endpoint, name="endpoint"),
    path("model/<int:endpoint_id>/remove/", views.remove_endpoint, name="endpoint-remove"),
]

websocket_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]  # type: ignore[arg-type]
