"""Where an administrator connects a chat model."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from openai import AsyncOpenAI

from chat.forms import EndpointForm
from documents.models import Endpoint
from documents.rag.errors import FootnoteError
from documents.rag.llm import ChatModel, list_models
from documents.wiring import NO_KEY


@login_required
def endpoint(request: HttpRequest) -> HttpResponse:
    """Lists the endpoint's models, tests one, keeps it."""
    if not request.user.is_superuser:
        raise PermissionDenied
    form = EndpointForm(request.POST or None, instance=Endpoint.objects.first() or Endpoint(pk=1))
    models: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            match request.POST.get("do"):
                case "list":
                    models = async_to_sync(_models)(form.instance)
                    messages.info(request, f"The endpoint has {len(models)} models. Choose one, then test it.")
                case "test":
                    reply = async_to_sync(_reply)(form.instance)
                    messages.success(request, f"{form.instance.chat_model} answers: “{reply}”")
                case "save":
                    form.save()
                    messages.success(request, f"Answers are now written by {form.instance.chat_model}.")
                    return redirect("endpoint")
        except FootnoteError as error:
            messages.error(request, str(error))
    context = {"form": form, "models": models, "from_environment": settings.CHAT_MODEL}
    return render(request, "chat/endpoint.html", context, status=400 if form.errors else 200)


async def _models(endpoint: Endpoint) -> list[str]:
    async with _client(endpoint) as client:
        return await list_models(client)


async def _reply(endpoint: Endpoint) -> str:
    """What the model says to a greeting, at most a line of it."""
    async with _client(endpoint) as client:
        model = ChatModel(client, endpoint.chat_model)
        greeting = [{"role": "user", "content": "Say hello in three words."}]
        pieces = [piece async for piece in model.stream(greeting) if isinstance(piece, str)]
    return "".join(pieces).strip()[:200]


def _client(endpoint: Endpoint) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key or NO_KEY, max_retries=0)
