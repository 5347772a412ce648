from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.urls import reverse

from documents.models.library import Library
from documents.models.people import User


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def visible_to(self, user: User | AnonymousUser) -> ReceiptQuerySet:
        """Of the user's own libraries, of what the user had erased, and to administrators all of them."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(Q(library__in=Library.objects.owned_by(user)) | Q(by=user.pk))


class Receipt(models.Model):
    """An order to erase documents, or a whole library, and, once it is finished, what that came to.

    It keeps numbers and hashes, no names. `erased` counts by kind what really went, `left` what was found of each kind
    afterwards. Ordered by nobody, it was time.
    """

    library = models.ForeignKey(Library, models.SET_NULL, null=True, related_name="receipts")
    library_number = models.PositiveBigIntegerField()
    whole_library = models.BooleanField(default=False)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    ordered = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True)
    erased = models.JSONField(default=dict)
    left = models.JSONField(default=dict)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Receipt {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("receipt", args=[self.pk])


class ErasedVersion(models.Model):
    """A version that is no more, by its numbers and the hash of its file.

    `files` are [kind, key, how many, bytes], as measured before any of them was removed.
    """

    receipt = models.ForeignKey(Receipt, models.CASCADE, related_name="versions")
    document = models.PositiveBigIntegerField()
    version = models.PositiveBigIntegerField()
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    files = models.JSONField(default=list)
    files_removed = models.BooleanField(default=False)

    class Meta:
        ordering = ("document", "number")
        indexes = (models.Index(fields=("receipt",), condition=Q(files_removed=False), name="files_yet_to_be_removed"),)

    def __str__(self) -> str:
        return f"Document {self.document}, version {self.number}"
