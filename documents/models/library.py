from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, Group
from django.db import models
from django.db.models import Q
from django.urls import reverse

from documents.models.people import User


class LibraryQuerySet(models.QuerySet["Library"]):
    """What a user may do starts here; every lookup of a document, passage or citation goes through it."""

    def readable_by(self, user: User | AnonymousUser) -> LibraryQuerySet:
        if not user.is_active:
            return self.none()
        members = Q(pk__in=_memberships(user).values("library"))
        return self.filter(Q(visibility=Library.Visibility.TEAM) | members, deleted_at=None)

    def downloadable_by(self, user: User | AnonymousUser) -> LibraryQuerySet:
        """The libraries whose files the user may take away: where no membership says no, or another says yes."""
        memberships = _memberships(user)
        refused = memberships.filter(may_download=False).exclude(
            library__in=memberships.filter(may_download=True).values("library")
        )
        return self.readable_by(user).exclude(pk__in=refused.values("library"))

    def editable_by(self, user: User | AnonymousUser) -> LibraryQuerySet:
        """The libraries to which the user may add documents."""
        return self._with_role(user, Membership.Role.EDITOR, Membership.Role.OWNER)

    def owned_by(self, user: User | AnonymousUser) -> LibraryQuerySet:
        return self._with_role(user, Membership.Role.OWNER)

    def restorable_by(self, user: User | AnonymousUser) -> LibraryQuerySet:
        """Removed libraries, which nobody sees but their owners, who can have them back."""
        to_be_erased = Q(receipts__whole_library=True)
        return self._of_members(user, Membership.Role.OWNER).filter(deleted_at__isnull=False).exclude(to_be_erased)

    def _with_role(self, user: User | AnonymousUser, *roles: str) -> LibraryQuerySet:
        return self._of_members(user, *roles).filter(deleted_at=None)

    def _of_members(self, user: User | AnonymousUser, *roles: str) -> LibraryQuerySet:
        if not user.is_active:
            return self.none()
        return self.filter(pk__in=_memberships(user).filter(role__in=roles).values("library"))


class Library(models.Model):
    """A collection of documents; it decides who may read them."""

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Private: its members only"
        TEAM = "team", "Team: everyone may read it"

    name = models.CharField(max_length=200)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PRIVATE)
    own_endpoints_only = models.BooleanField(
        default=False, help_text="Its text goes to no external model: none that writes, embeds, reranks or judges."
    )
    chat_model = models.CharField(
        max_length=200,
        blank=True,
        help_text="The model that answers from this library, where whoever asks chooses none.",
    )
    relations = models.BooleanField(
        "read for relations",
        default=False,
        help_text="A chat model reads each passage once, for what it says of what: more for graph to follow, about as "
        "many tokens as the documents have.",
    )
    relations_due = models.DateTimeField(null=True, editable=False, help_text="When passages are next looked for.")
    relations_error = models.TextField(blank=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LibraryQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        verbose_name_plural = "libraries"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("library", args=[self.pk])


class Membership(models.Model):
    """What a user, or a group of users, may do in a library."""

    class Role(models.TextChoices):
        READER = "reader", "Reader: may ask"
        EDITOR = "editor", "Editor: may add documents"
        OWNER = "owner", "Owner: may manage it"

    library = models.ForeignKey(Library, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="memberships")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.READER)
    may_download = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(user__isnull=False) ^ Q(group__isnull=False), name="membership_of_a_user_or_a_group"
            ),
            models.UniqueConstraint("library", "user", name="one_membership_a_user"),
            models.UniqueConstraint("library", "group", name="one_membership_a_group"),
        )

    def __str__(self) -> str:
        return f"{self.user or self.group}, {self.role} of {self.library}"


def _memberships(user: User | AnonymousUser) -> models.QuerySet[Membership]:
    return Membership.objects.filter(Q(user=user.pk) | Q(group__in=user.groups.all()))
