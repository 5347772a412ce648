from __future__ import annotations

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from documents.models.document import Document
from documents.models.library import Library
from documents.models.people import User


class GoldenQuestionQuerySet(models.QuerySet["GoldenQuestion"]):
    def readable_by(self, user: User | AnonymousUser) -> GoldenQuestionQuerySet:
        return self.filter(library__in=Library.objects.readable_by(user))

    def editable_by(self, user: User | AnonymousUser) -> GoldenQuestionQuerySet:
        return self.filter(library__in=Library.objects.editable_by(user))


class GoldenQuestion(models.Model):
    """A question of which people know where its answer stands.

    `history` is what was said before it, [{"role", "text"}]. `message` is the answer in the chat that it was made of,
    by its id alone: it may be gone.
    """

    class Origin(models.TextChoices):
        HAND = "hand", "by hand"
        CSV = "csv", "from a table"
        FEEDBACK = "feedback", "from an answer that didn't help"

    library = models.ForeignKey(Library, models.CASCADE, related_name="golden_questions")
    text = models.TextField("question")
    history = models.JSONField(default=list, blank=True)
    note = models.TextField(blank=True)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.HAND)
    message = models.CharField(max_length=36, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = GoldenQuestionQuerySet.as_manager()

    class Meta:
        ordering = ("created", "pk")

    def __str__(self) -> str:
        return self.text


class GoldenPlace(models.Model):
    """Where an answer stands: in a document, on a page of it, in words it holds; each narrower, where it is given.

    Not by chunk, so that it outlives new versions and new ways of cutting.
    """

    question = models.ForeignKey(GoldenQuestion, models.CASCADE, related_name="places")
    document = models.ForeignKey(Document, models.CASCADE, related_name="golden_places")
    page = models.PositiveIntegerField(null=True, blank=True)
    quote = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.document}, page {self.page}" if self.page else str(self.document)


class EvaluationRunQuerySet(models.QuerySet["EvaluationRun"]):
    def readable_by(self, user: User | AnonymousUser) -> EvaluationRunQuerySet:
        """Runs over libraries that the user may read, every one of them; administrators see collections' as well."""
        if not user.is_active:
            return self.none()
        unreadable = Library.objects.exclude(pk__in=Library.objects.readable_by(user).values("pk"))
        of_libraries = Q(pk__in=EvaluationRun.libraries.through.objects.values("evaluationrun"))
        of_collections = Q(collection__gt="") if user.is_superuser else Q(pk=None)
        return self.filter(of_libraries | of_collections).exclude(
            pk__in=EvaluationRun.libraries.through.objects.filter(library__in=unreadable).values("evaluationrun")
        )


class EvaluationRun(models.Model):
    """One way to search, measured on a collection or on the golden questions of libraries.

    `variant` is what was measured, by name: {"strategy": "hybrid", "embedding_model": …}. The runs of one `series` were
    asked for together, on the same questions, of which `digest` is the hash. `figures` are the means: {"ndcg@10": …}.
    A collection is indexed in a library of its own, `index`, which goes with the end of the series. Whoever works on a
    run holds the lease and renews it; a worker goes on with what has `in_background`.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        INTERRUPTED = "interrupted"

    series = models.UUIDField(default=uuid.uuid4, db_index=True)
    collection = models.CharField(max_length=255, blank=True, help_text="The name of its folder.")
    libraries = models.ManyToManyField(Library, blank=True, related_name="evaluation_runs")
    digest = models.CharField(max_length=64)
    variant = models.JSONField()
    questions = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=20, choices=State, default=State.RUNNING)
    in_background = models.BooleanField(default=False)
    error = models.TextField(blank=True, help_text="Why it was broken off.")
    figures = models.JSONField(default=dict)
    index = models.ForeignKey(Library, models.SET_NULL, null=True, editable=False, related_name="indexed_for")
    started = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = EvaluationRunQuerySet.as_manager()

    class Meta:
        ordering = ("-started", "-pk")

    def __str__(self) -> str:
        return f"{self.variant.get('strategy', '')} on {self.collection or 'golden questions'}"

    @property
    def is_under_way(self) -> bool:
        """Whether somebody is at work on its series."""
        return bool(self.lease_until and self.lease_until > timezone.now())

    @property
    def standing(self) -> str:
        """How it stands, in a word or two."""
        if self.state == self.State.FINISHED:
            return "finished"
        if self.is_under_way:
            return "running"
        return "waiting" if self.in_background else "broken off"


class EvaluationResult(models.Model):
    """What a run found for one question: `key` is a golden question's number, or the collection's id of its own.

    `figures` are this question's, as those of the run. `stages` are those that it went through, in their turn, and how
    many passages each had: [["lexical", 100], ["dense", 100], ["fused", 180], ["found", 100], ["hydrated", 5]].
    `places` is where the answer stands: [{"key", "document", "page", "lost", "lexical": 3, "dense": None, …}], with the
    rank in each stage, None where it isn't there. `key` is a golden place's number, or a collection's id; `document` an
    id of ours; a place is `lost` where the document doesn't say this any more.
    """

    run = models.ForeignKey(EvaluationRun, models.CASCADE, related_name="results")
    golden = models.ForeignKey(GoldenQuestion, models.CASCADE, null=True, blank=True, related_name="results")
    key = models.CharField(max_length=1000)
    text = models.TextField(blank=True, help_text="Of a collection's question; a golden one has its own.")
    figures = models.JSONField()
    milliseconds = models.FloatField()
    stages = models.JSONField(default=list)
    places = models.JSONField(default=list)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint("run", "key", name="one_result_a_question"),)

    def __str__(self) -> str:
        return f"{self.run}, question {self.key}"
