"""A library in step with a folder, a page and a sitemap, through every change of them, and through every failure."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from documents import leases
from documents.ingest import delete
from documents.models import Document, Library, Source, User
from documents.sync import Report, sync
from tests.documents.conftest import Give
from tests.web_server import WebSite

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Source]


@pytest.fixture
def site(settings: Settings) -> Iterator[WebSite]:
    settings.SOURCE_PRIVATE_HOSTS = ["127.0.0.1"]
    with WebSite() as running:
        yield running


@pytest.fixture
def make(owner: User, library: Library) -> Make:
    """Makes a source of the library that is due: `make("page", address, schedule="daily")`."""

    def new(kind: str, address: object, **fields: object) -> Source:
        values = {"library": library, "created_by": owner, "next_run": timezone.now(), **fields}
        return Source.objects.create(kind=kind, address=str(address), **values)

    return new


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    write(folder / "leave.md", "# Leave")
    write(folder / "below" / "plan.md", "# Plan")
    write(folder / ".hidden" / "secret.md", "# Secret")
    return folder


def write(path: Path, text: str) -> None:
    """A file that was written a while ago; each time at another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_mtime if path.exists() else time.time() - 1000
    path.write_text(text)
    os.utime(path, (before + 10, before + 10))


def run(source: Source) -> Report:
    """Have it brought in step, as when its time has come."""
    Source.objects.filter(pk=source.pk).update(next_run=timezone.now())
    report = asyncio.run(sync(source.pk))
    assert report is not None
    source.refresh_from_db()
    return report


def told(report: Report) -> set[tuple[str, str]]:
    return {(event.event.value, event.document) for event in report.events}


def names(source: Source) -> list[str]:
    return [document.path for document in source.documents.filter(deleted_at=None)]


# --- A folder ---------------------------------------------------------------------------------


def test_it_works(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    assert told(run(source)) == {("added", "leave.md"), ("added", "plan.md")}
    assert names(source) == ["leave.md", "below/plan.md"]
    assert source.result == "2 files; 2 new"
    assert run(source).events == []
    assert source.result == "2 files; nothing new"


def test_what_changed_is_a_new_version_and_what_vanished_is_deleted(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    write(folder / "leave.md", "# Leave: 25 days")
    (folder / "below" / "plan.md").unlink()
    write(folder / "sick.md", "# Sick leave")
    assert told(run(source)) == {("changed", "leave.md"), ("gone", "plan.md"), ("added", "sick.md")}
    assert Document.objects.get(name="leave.md").versions.count() == 2
    assert Document.objects.get(name="plan.md").deleted_at is not None
    assert source.result == "2 files; 1 new, 1 changed, 1 gone"


def test_a_file_that_was_only_touched_changes_nothing(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    write(folder / "leave.md", "# Leave")
    assert run(source).events == []
    assert Document.objects.get(name="leave.md").versions.count() == 1


def test_a_file_that_moved_is_the_same_document(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    before = Document.objects.get(name="plan.md")
    (folder / "below" / "plan.md").rename(folder / "strategy.md")
    assert told(run(source)) == {("moved", "strategy.md")}
    after = Document.objects.get(pk=before.pk)
    assert (after.path, after.source, after.versions.count()) == ("strategy.md", str(folder / "strategy.md"), 1)


def test_a_file_that_comes_back_is_there_again(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    (folder / "leave.md").unlink()
    run(source)
    write(folder / "leave.md", "# Leave")
    assert told(run(source)) == {("added", "leave.md")}


def test_a_document_that_somebody_removed_stays_removed(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    delete(Document.objects.get(name="leave.md"))
    write(folder / "leave.md", "# Leave, again")
    assert run(source).events == []
    assert names(source) == ["below/plan.md"]


def test_a_file_that_was_ingested_before_is_no_second_document(make: Make, folder: Path, give: Give) -> None:
    known = give("leave.md", "# Leave", source=str(folder / "leave.md")).version.document
    source = make("folder", folder)
    run(source)
    assert Document.objects.get(name="leave.md") == known
    assert names(source) == ["leave.md", "below/plan.md"]


def test_a_folder_that_is_not_there_removes_nothing(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    folder.rename(folder.with_name("unmounted"))
    assert "Is its disk mounted?" in run(source).error
    assert "Is its disk mounted?" in source.error
    assert len(names(source)) == 2


def test_a_folder_that_is_suddenly_empty_removes_nothing(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    folder.rename(folder.with_name("unmounted"))
    folder.mkdir()
    assert "lists nothing any more" in run(source).error
    assert len(names(source)) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_a_folder_that_can_only_be_listed_in_part_removes_nothing(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    (folder / "below").chmod(0)
    assert "can't be listed" in run(source).error
    (folder / "below").chmod(0o700)
    assert len(names(source)) == 2


def test_a_link_that_leads_out_of_the_folder_is_passed_over_with_a_sentence(
    make: Make, folder: Path, tmp_path: Path
) -> None:
    write(tmp_path / "drawer" / "secret.md", "# Secret")
    (folder / "link.md").symlink_to(tmp_path / "drawer" / "secret.md")
    (folder / "below" / "linked").symlink_to(tmp_path / "drawer")
    source = make("folder", folder)
    run(source)
    assert names(source) == ["leave.md", "below/plan.md"]
    assert source.problems == [
        "linked is a link that leads out of the folder, so it is passed over.",
        "link.md is a link that leads out of the folder, so it is passed over.",
    ]


def test_a_file_that_was_replaced_by_a_link_that_leads_out_keeps_its_text(
    make: Make, folder: Path, tmp_path: Path
) -> None:
    source = make("folder", folder)
    run(source)
    write(tmp_path / "secret.md", "# Secret")
    (folder / "leave.md").unlink()
    (folder / "leave.md").symlink_to(tmp_path / "secret.md")
    assert told(run(source)) == {("failed", "leave.md")}
    assert Document.objects.get(name="leave.md").versions.count() == 1


def test_a_link_within_the_folder_is_no_second_document(make: Make, folder: Path) -> None:
    (folder / "again.md").symlink_to(folder / "leave.md")
    source = make("folder", folder)
    assert told(run(source)) == {("added", "leave.md"), ("added", "plan.md")}


def test_a_file_that_is_still_being_written_is_taken_when_it_is_quiet(make: Make, folder: Path) -> None:
    (folder / "new.md").write_text("# Ne")
    source = make("folder", folder)
    report = run(source)
    assert "new.md" not in names(source)
    assert report.retry_after
    assert source.next_run is not None
    write(folder / "new.md", "# New")
    os.utime(folder / "new.md", (1, 1))
    assert told(run(source)) == {("added", "new.md")}
    assert source.next_run is None


def test_what_is_not_read_is_told_and_the_rest_is_taken(make: Make, folder: Path) -> None:
    write(folder / "tool", "\x7fELF and so on")
    source = make("folder", folder)
    run(source)
    assert source.result == "3 files; 2 new, 1 could not be taken in"
    assert source.problems[0].startswith("tool is a program.")


# --- A page -----------------------------------------------------------------------------------


def test_a_page_is_fetched_again_only_where_it_changed(make: Make, site: WebSite) -> None:
    site.put_page("/leave", "Leave", etag='"1"')
    source = make("page", f"{site.url}/leave")
    assert told(run(source)) == {("added", "leave.html")}
    assert run(source).events == []
    site.put_page("/leave", "Leave: 25 days", etag='"2"')
    assert told(run(source)) == {("changed", "leave.html")}
    assert site.asked("/leave") == [200, 304, 200]
    assert Document.objects.get().address == f"{site.url}/leave"


def test_a_page_that_is_gone_is_deleted(make: Make, site: WebSite) -> None:
    site.put_page("/leave", "Leave")
    source = make("page", f"{site.url}/leave")
    run(source)
    site.put("/leave", status=410)
    assert told(run(source)) == {("gone", "leave.html")}


def test_a_page_that_never_was_there_is_told(make: Make, site: WebSite) -> None:
    source = make("page", f"{site.url}/leave")
    run(source)
    assert source.result == "1 page; 1 could not be taken in"
    assert source.problems == [f"{site.url}/leave is not there (404)."]


def test_an_error_page_removes_nothing(make: Make, site: WebSite) -> None:
    site.put_page("/leave", "Leave")
    source = make("page", f"{site.url}/leave")
    run(source)
    site.put("/leave", "<h1>Oops</h1>", status=500)
    run(source)
    assert source.problems == [f"{site.url}/leave answered with an error (500)."]
    assert names(source) == ["127.0.0.1/leave.html"]


def test_a_private_address_is_not_fetched(make: Make, site: WebSite, settings: Settings) -> None:
    settings.SOURCE_PRIVATE_HOSTS = []
    site.put_page("/leave", "Leave")
    source = make("page", f"{site.url}/leave")
    run(source)
    assert "ports 80 and 443 only" in source.problems[0]
    assert site.history == []


# --- A sitemap --------------------------------------------------------------------------------


@pytest.fixture
def pages(site: WebSite) -> WebSite:
    site.put_sitemap("/sitemap.xml", ("/one", "2026-01-01"), "/two", "/three")
    for path in ("/one", "/two", "/three"):
        site.put_page(path, path.strip("/"), etag=f'"{path}"')
    return site


def test_a_sitemap_is_followed(make: Make, pages: WebSite) -> None:
    source = make("sitemap", f"{pages.url}/sitemap.xml")
    run(source)
    assert source.result == "3 pages; 3 new"
    pages.put_sitemap("/sitemap.xml", ("/one", "2026-01-01"), "/two", "/four")
    pages.put_page("/two", "two, changed", etag='"changed"')
    pages.put_page("/four", "four")
    assert told(run(source)) == {("changed", "two.html"), ("gone", "three.html"), ("added", "four.html")}
    assert pages.asked("/one") == [200]


def test_a_listed_page_that_is_gone_is_deleted(make: Make, pages: WebSite) -> None:
    source = make("sitemap", f"{pages.url}/sitemap.xml")
    run(source)
    pages.put("/two", status=404)
    assert told(run(source)) == {("gone", "two.html")}


def test_a_listed_page_that_leads_to_another_is_there_once(make: Make, pages: WebSite) -> None:
    pages.put("/two", status=302, location=f"{pages.url}/three")
    source = make("sitemap", f"{pages.url}/sitemap.xml")
    report = run(source)
    assert [name.rpartition("/")[2] for name in sorted(names(source))] == ["one.html", "three.html"]
    assert "/two leads to " in next(event.error for event in report.events if event.error)
    pages.put("/one", status=302, location=f"{pages.url}/three")
    pages.put_sitemap("/sitemap.xml", "/one", "/three")
    assert told(run(source)) == {("gone", "one.html")}


@pytest.mark.parametrize("body", ["<urlset/>", "<html><p>Maintenance<br></html>"])
def test_a_sitemap_that_suddenly_lists_nothing_removes_nothing(make: Make, pages: WebSite, body: str) -> None:
    source = make("sitemap", f"{pages.url}/sitemap.xml")
    run(source)
    pages.put("/sitemap.xml", body)
    assert run(source).error
    assert len(names(source)) == 3


@pytest.mark.parametrize("status", [404, 500])
def test_a_sitemap_that_can_not_be_had_removes_nothing(make: Make, pages: WebSite, status: int) -> None:
    source = make("sitemap", f"{pages.url}/sitemap.xml")
    run(source)
    pages.put("/sitemap.xml", status=status)
    assert run(source).error
    assert len(names(source)) == 3


def test_a_site_of_which_every_page_is_missing_removes_nothing(make: Make, pages: WebSite) -> None:
    source = make("sitemap", f"{pages.url}/sitemap.xml")
    run(source)
    for path in ("/one", "/two", "/three"):
        pages.put(path, status=404)
    pages.put_sitemap("/sitemap.xml", "/one", "/two", "/three")
    assert "Nothing that" in run(source).error
    assert len(names(source)) == 3


def test_a_site_that_asks_for_a_pause_is_left_alone_until_then(make: Make, pages: WebSite) -> None:
    pages.put("/one", status=429, retry_after="3600")
    source = make("sitemap", f"{pages.url}/sitemap.xml")
    assert "asks to be left alone" in run(source).error
    assert source.next_run is not None
    assert timedelta(minutes=59) < source.next_run - timezone.now() <= timedelta(hours=1)
    assert len(names(source)) == 2


# --- When -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "hours"), [("hourly", 1), ("daily", 24), ("weekly", 168)])
def test_the_next_run_is_due_after_the_interval(make: Make, folder: Path, schedule: str, hours: int) -> None:
    source = make("folder", folder, schedule=schedule)
    run(source)
    assert source.next_run is not None
    assert source.last_run is not None
    assert source.next_run - source.last_run == timedelta(hours=hours)
    assert not leases.due().exists()


async def test_a_source_that_is_not_due_is_left_alone(make: Make, folder: Path) -> None:
    source = await asyncio.to_thread(make, "folder", folder, next_run=timezone.now() + timedelta(hours=1))
    assert await sync(source.pk) is None


async def test_two_workers_never_fetch_from_one_source(make: Make, site: WebSite) -> None:
    site.put_page("/leave", "Leave")
    source = await asyncio.to_thread(make, "page", f"{site.url}/leave")
    reports = await asyncio.gather(*(sync(source.pk) for _ in range(4)))
    assert sum(report is not None for report in reports) == 1
    assert site.asked("/leave") == [200]


def test_a_run_that_was_killed_is_taken_up_when_its_lease_has_run_out(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    assert leases.SourceLease(source.pk).take(leases.due())
    assert asyncio.run(sync(source.pk)) is None
    Source.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert told(run(source)) == {("added", "leave.md"), ("added", "plan.md")}


def test_a_source_that_is_removed_leaves_its_documents(make: Make, folder: Path) -> None:
    source = make("folder", folder)
    run(source)
    source.delete()
    assert Document.objects.filter(kept_by=None, deleted_at=None).count() == 2
