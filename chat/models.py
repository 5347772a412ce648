from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q
from django.urls import reverse

from documents.models import Document, Library, User, Version

DEEPER = {"direct": "hybrid", "naive": "iterative", "hybrid": "iterative", "graph": "iterative", "iterative": "agentic"}
"""Which strategy may find what another did not."""


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of(self, user: User | AnonymousUser) -> ConversationQuerySet:
        """The user's own conversations."""
        return self.filter(owner=user.pk) if user.is_active else self.none()


class Conversation(models.Model):
    """Questions and their answers; `libraries` narrow what is asked, none chosen means all its owner may read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200, blank=True)
    strategy = models.CharField(max_length=20, default="hybrid")
    libraries = models.ManyToManyField(Library, blank=True, related_name="+")
    model = models.CharField(max_length=200, blank=True, help_text="Asked first; empty, the first that is connected.")
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now_add=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ("-updated",)
        indexes = (models.Index(fields=["owner", "-updated"], name="conversations_of_an_owner"),)

    def __str__(self) -> str:
        return self.title or "New question"

    def get_absolute_url(self) -> str:
        return reverse("conversation", args=[self.pk])

    @property
    def stays(self) -> bool:
        """Whether what was said may go to own endpoints only, as it rests on a library that is for these."""
        return Library.objects.filter(own_endpoints_only=True).filter(self._rests_on()).exists()

    def _rests_on(self) -> Q:
        rested = self.messages.annotate(document=Func("documents", function="unnest")).values("document")
        cited = self.messages.values("citations__library")
        return Q(documents__in=rested) | Q(pk__in=cited)


class Message(models.Model):
    """A question, or the answer to its parent.

    Whoever writes an answer holds its lease and renews it; an answer whose lease ran out was interrupted.
    """

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    class Status(models.TextChoices):
        STREAMING = "streaming"
        COMPLETE = "complete"
        STOPPED = "stopped"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.COMPLETE)
    error = models.TextField(blank=True)
    strategy = models.CharField(max_length=20, blank=True)
    model = models.CharField(max_length=200, blank=True)
    steps = models.JSONField(default=list, help_text="[name, text, milliseconds since the question]")
    notices = models.JSONField(default=list)
    thinking = models.TextField(blank=True, help_text="What a reasoning model thought before it answered.")
    documents = ArrayField(models.BigIntegerField(), default=list, help_text="That it rests on.")
    quoted = models.BooleanField(default=False, help_text="Quotations, not a model's answer.")
    abstained = models.BooleanField(default=False)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0, help_text="In the currency of the models' prices, as far as these are known.")
    milliseconds = models.JSONField(default=dict)
    trace = models.JSONField(default=dict, help_text="How it came about (chat.tracing); no word of a document.")
    lease_until = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    might_know: list[User] | None = None
    """Who might, where it found no answer; set for its reader (`chat.reading`)."""

    class Meta:
        ordering = ("conversation", "pk")
        constraints = (
            models.UniqueConstraint("conversation", condition=Q(status="streaming"), name="one_live_answer"),
        )

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:60]}"

    @property
    def may_be_judged(self) -> bool:
        """Whether there is an answer that may have helped somebody."""
        return self.role == self.Role.ASSISTANT and self.status in (self.Status.COMPLETE, self.Status.STOPPED)

    @property
    def found(self) -> list[int]:
        """The chunks that it rests on, best first."""
        return [passage["chunk"] for passage in self.trace.get("passages", ())]

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def deeper(self) -> str:
        """The strategy that looks deeper than its own; none where that would do the same."""
        was_deepest = self.trace.get("asked") == "agentic" or (self.strategy == "iterative" and not self.model)
        return "" if was_deepest or self.status != self.Status.COMPLETE else DEEPER.get(self.strategy, "")


class Prompt(models.Model):
    """What a chat model was sent to write an answer from. It holds passages, and goes with any of their documents."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True)
    text = models.TextField()

    def __str__(self) -> str:
        return f"Sent for {self.message}"


class Gap(models.Model):
    """A question to which the documents of these libraries had no answer; their owners are told of it."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True)
    libraries = models.ManyToManyField(Library, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"Not answered: {self.message}"


class Feedback(models.Model):
    """What a reader thinks of an answer."""

    class Verdict(models.TextChoices):
        GOOD = "good", "helpful"
        BAD = "bad", "not helpful"

    message = models.ForeignKey(Message, models.CASCADE, related_name="feedback")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    verdict = models.CharField(max_length=4, choices=Verdict)
    reason = models.TextField(blank=True, max_length=2000)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = (models.UniqueConstraint("message", "user", name="one_feedback_a_user"),)

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {self.reason[:60]}"


class Verdict(models.TextChoices):
    """What checking a statement against what it cites came to."""

    SUPPORTED = "supported"
    PARTLY = "partly", "Partly supported"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    UNCITED = "uncited"


class Citation(models.Model):
    """A footnote, which survives what it cites: the quote, its place and its hash are its own.

    `start` and `end` count characters of the page's text. Who may see the quote is decided by `library`. When the
    document is erased, title, heading and quote are emptied.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="citations")
    number = models.PositiveIntegerField()
    library = models.ForeignKey(Library, models.SET_NULL, null=True, related_name="+")
    document = models.ForeignKey(Document, models.SET_NULL, null=True, related_name="citations")
    version = models.ForeignKey(Version, models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=500)
    heading = models.CharField(max_length=500, blank=True, help_text="What the quote stands under.")
    page = models.PositiveIntegerField()
    paged = models.BooleanField(default=False, help_text="Whether the page number means something to people.")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    boxes = models.JSONField(default=list, help_text="[left, top, right, bottom], fractions of the page")
    quote = models.TextField()
    sha256 = models.CharField(max_length=64)
    verdict = models.CharField(
        max_length=12, choices=Verdict, blank=True, help_text="The gravest on what it is cited for."
    )
    erased_at = models.DateTimeField(null=True, blank=True, help_text="Its words went then, with the document.")
    compared = models.DateTimeField(null=True, help_text="When its words were looked for in a later version.")
    still = ArrayField(
        models.PositiveIntegerField(), default=list, help_text="[page, start, end] of them there; empty, they are gone."
    )

    remark = ""
    """What has become of its source, in few words, where `chat.reading` has looked."""

    closed = False
    """Whether its reader may not open it, where `chat.reading` has looked."""

    class Meta:
        ordering = ("message", "number")
        constraints = (models.UniqueConstraint("message", "number", name="one_citation_a_number"),)

    def __str__(self) -> str:
        return f"[{self.number}] {self.title or 'erased'}"


class Claim(models.Model):
    """Characters `start` to `end` of an answer's text state something, which was checked against its citations.

    What is doubted of it are words of the answer; the reason may quote a source, and goes when that is erased.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="claims")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    numbers = ArrayField(models.PositiveIntegerField(), default=list, help_text="Of the citations it bears.")
    verdict = models.CharField(max_length=12, choices=Verdict)
    reason = models.TextField(blank=True)
    doubt = models.TextField(blank=True)

    class Meta:
        ordering = ("message", "start")

    def __str__(self) -> str:
        return f"{self.verdict}: {self.message.text[self.start : self.end][:60]}"

    @property
    def is_doubted(self) -> bool:
        return self.verdict != Verdict.SUPPORTED
