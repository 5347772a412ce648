from __future__ import annotations

from django.urls import path

from documents.consumers import LibraryConsumer
from documents.views import (
    changes,
    documents,
    evaluations,
    golden,
    libraries,
    listing,
    names,
    pages,
    receipts,
    removed,
    search,
    sources,
    usage,
)

urlpatterns = [
    path("search/", search.show, name="search"),
    path("search/results", search.results, name="search-results"),
    path("names/", names.show, name="name"),
    path("libraries/", libraries.index, name="libraries"),
    path("libraries/<int:library_id>/", libraries.show, name="library"),
    path("libraries/<int:library_id>/change", libraries.change, name="library-change"),
    path("libraries/<int:library_id>/members", libraries.add_member, name="member-add"),
    path(
        "libraries/<int:library_id>/members/<int:membership_id>/remove", libraries.remove_member, name="member-remove"
    ),
    path("libraries/<int:library_id>/names", libraries.names, name="library-names"),
    path("libraries/<int:library_id>/progress", listing.progress, name="library-progress"),
    path("libraries/<int:library_id>/retry", listing.retry, name="library-retry"),
    path("libraries/<int:library_id>/upload", libraries.upload, name="upload"),
    path("libraries/<int:library_id>/remove", changes.remove, name="documents-remove"),
    path("libraries/<int:library_id>/move", changes.move, name="documents-move"),
    path("libraries/<int:library_id>/removed/", removed.show, name="library-removed"),
    path("libraries/<int:library_id>/removed/restore", removed.restore, name="documents-restore"),
    path("libraries/<int:library_id>/removed/erase", removed.erase, name="documents-erase"),
    path("libraries/<int:library_id>/delete", removed.remove_library, name="library-remove"),
    path("libraries/<int:library_id>/restore", removed.restore_library, name="library-restore"),
    path("libraries/<int:library_id>/erase", removed.erase_library, name="library-erase"),
    path("libraries/<int:library_id>/sources/", sources.index, name="sources"),
    path("libraries/<int:library_id>/golden/", golden.index, name="golden"),
    path("libraries/<int:library_id>/golden/new", golden.new, name="golden-add"),
    path("libraries/<int:library_id>/golden/bring", golden.bring, name="golden-bring"),
    path("libraries/<int:library_id>/golden/table.csv", golden.table, name="golden-table"),
    path("libraries/<int:library_id>/golden/<int:question_id>/", golden.show, name="golden-question"),
    path("libraries/<int:library_id>/golden/<int:question_id>/remove", golden.remove, name="golden-remove"),
    path("sources/<int:source_id>/row", sources.row, name="source-row"),
    path("sources/<int:source_id>/fetch", sources.fetch, name="source-fetch"),
    path("sources/<int:source_id>/change", sources.change, name="source-change"),
    path("sources/<int:source_id>/remove", sources.remove, name="source-remove"),
    path("evaluations/", evaluations.index, name="evaluations"),
    path("evaluations/compare", evaluations.compare, name="evaluations-compare"),
    path("evaluations/start", evaluations.start, name="evaluations-start"),
    path("usage/", usage.show, name="usage"),
    path("usage/budgets/", usage.add_budget, name="budget-add"),
    path("usage/budgets/<int:budget_id>/remove", usage.remove_budget, name="budget-remove"),
    path("receipts/", receipts.index, name="receipts"),
    path("receipts/<int:receipt_id>/", receipts.show, name="receipt"),
    path("receipts/<int:receipt_id>.json", receipts.download, name="receipt-file"),
    path("documents/<int:document_id>/", documents.show, name="document"),
    path("documents/<int:document_id>/row", documents.row, name="document-row"),
    path("documents/<int:document_id>/file", documents.download, name="file"),
    path("documents/<int:document_id>/strip", documents.show_strip, name="strip"),
    path("documents/<int:document_id>/delete", documents.delete, name="document-delete"),
    path("documents/<int:document_id>/rename", changes.rename, name="document-rename"),
    path("documents/<int:document_id>/retry", documents.retry, name="document-retry"),
    path("documents/<int:document_id>/unlock", documents.unlock, name="document-unlock"),
    path("documents/<int:document_id>/versions/<int:version>/pages/<int:number>/", pages.show, name="page"),
    path(
        "documents/<int:document_id>/versions/<int:version>/pages/<int:number>/read", pages.read_again, name="page-read"
    ),
    path("documents/<int:document_id>/versions/<int:version>/pages/<int:number>.png", pages.image, name="page-image"),
]

websocket_urlpatterns = [path("ws/libraries/<int:library_id>/", LibraryConsumer.as_asgi())]  # type: ignore[arg-type]
