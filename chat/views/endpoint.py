"""Where an administrator connects chat models, and says what is known of them."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from openai import AsyncOpenAI

from chat.forms import EndpointForm
from documents.endpoints import is_own
from documents.models import Endpoint
from documents.rag.errors import FootnoteError
from documents.rag.llm import ChatModel, list_models
from documents.views.libraries import require_administrator
from documents.wiring import NO_KEY


@login_required
def endpoint(request: HttpRequest, endpoint_id: int | None = None) -> HttpResponse:
    """All chat models, and one of them or a new one: lists its endpoint's models, tests it, keeps it."""
    require_administrator(request)
    chosen = get_object_or_404(Endpoint, pk=endpoint_id) if endpoint_id else Endpoint()
    form = EndpointForm(request.POST or None, instance=chosen)
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
                    messages.success(request, f"{form.instance.chat_model} is kept.")
                    return redirect("endpoint")
        except FootnoteError as error:
            messages.error(request, str(error))
    context = {
        "form": form,
        "models": models,
        "chosen": chosen,
        "endpoints": Endpoint.objects.all(),
        "from_environment": settings.CHAT_MODEL,
        "environment_is_own": is_own(settings.OPENAI_BASE_URL),
        "currency": settings.CURRENCY,
    }
    return render(request, "chat/endpoint.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def remove_endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    require_administrator(request)
    found = get_object_or_404(Endpoint, pk=endpoint_id)
    found.delete()
    messages.success(request, f"{found.chat_model} is no longer connected.")
    return redirect("endpoint")


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
