"""An answer as its page shows it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Conversation, Message
from documents.models import User

pytestmark = pytest.mark.django_db


def test_a_step_says_when_it_began_unless_that_was_at_once(client: Client, owner: User) -> None:
    steps = [["lexical", "Searching by words", 0], ["dense", "Searching by meaning", 12]]
    conversation = Conversation.objects.create(owner=owner)
    message = Message.objects.create(conversation=conversation, role="assistant", status="complete", steps=steps)
    client.force_login(owner)
    page = client.get(reverse("message", args=[conversation.pk, message.pk])).text
    assert "<span>Searching by words</span> </li>" in page
    assert "<span>Searching by meaning</span> <span>12 ms</span></li>" in page
