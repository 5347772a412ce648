"""Uploading in a real browser: files on a library's page, and in the admin."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import Page, expect

from tests.rag.drawing import drawn

PATIENCE = 60_000
CHOOSER = '[data-chooses="files"]'
FOLDER_CHOOSER = '[data-chooses="folder"]'


def write(folder: Path, **files: str) -> list[Path]:
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text)
    return [folder / f"{name}.md" for name in files]


def test_files_become_ready_before_the_users_eyes(page: Page, library: str, tmp_path: Path) -> None:
    files = write(tmp_path, leave="# Leave\n\nEveryone has 25 days.", empty="", travel="# Travel\n\nBook early.")
    page.locator(CHOOSER).set_input_files(files)
    expect(page.locator("[data-refusals]")).to_contain_text("empty.md is empty.")
    expect(page.locator("[data-results]")).to_have_text("3 files: 2 added, 1 refused.")
    expect(page.locator('.status[data-status="ready"]')).to_have_count(2, timeout=PATIENCE)
    expect(page.locator(".lead")).to_contain_text("2 documents")
    page.get_by_role("link", name="Travel", exact=True).click()
    expect(page.get_by_text("Book early.")).to_be_visible()


def test_pages_are_recognised_before_the_users_eyes(page: Page, library: str, tmp_path: Path) -> None:
    sheets = [drawn(f"The lighthouse number {number}") for number in range(6)]
    sheets[0].save(tmp_path / "scan.pdf", save_all=True, append_images=sheets[1:])
    page.locator(CHOOSER).set_input_files(tmp_path / "scan.pdf")
    expect(page.locator('.status[data-status="recognising"]')).to_have_count(1, timeout=PATIENCE)
    page.goto(f"{page.get_by_role('link', name='scan.pdf', exact=True).get_attribute('href')}?page=6")
    expect(page.locator('.strip a[data-how="waiting"]')).not_to_have_count(0)
    expect(page.get_by_text("Each page can be found as soon as it is done")).to_be_visible()
    page.locator(".strip a").first.focus()
    expect(page.locator('.strip a[data-how="ocr"]')).to_have_count(6, timeout=PATIENCE)
    expect(page.locator(".strip summary")).to_have_text("6 recognised")
    expect(page.locator(".strip a").first).to_be_focused()
    expect(page.locator(".sheet")).to_contain_text("The lighthouse number 5")
    expect(page.get_by_text("Each page can be found as soon as it is done")).to_be_hidden()


def test_a_single_page_has_the_whole_width(page: Page, library: str, tmp_path: Path) -> None:
    page.locator(CHOOSER).set_input_files(write(tmp_path, leave="# Leave\n\nEveryone has 25 days."))
    expect(page.locator('.status[data-status="ready"]')).to_have_count(1, timeout=PATIENCE)
    page.get_by_role("link", name="Leave", exact=True).click()
    box = page.locator(".sheet").bounding_box()
    assert box
    assert box["width"] > 700


def test_a_name_that_exists_is_asked_about(page: Page, library: str, tmp_path: Path) -> None:
    chooser = page.locator(CHOOSER)
    chooser.set_input_files(write(tmp_path, leave="# Leave\n\nEveryone has 25 days."))
    expect(page.locator('.status[data-status="ready"]')).to_have_count(1, timeout=PATIENCE)
    chooser.set_input_files(write(tmp_path, leave="# Leave\n\nEveryone has 30 days."))
    expect(page.get_by_role("dialog")).to_contain_text("leave.md")
    expect(page.get_by_role("dialog")).to_contain_text("Files with the same content as before stay as they are.")
    page.get_by_role("button", name="New versions").click()
    expect(page.locator("[data-results]")).to_have_text("1 file: 1 new version.")
    expect(page.locator("[data-rows] tr")).to_have_count(1)
    expect(page.locator('.status[data-status="ready"]')).to_have_count(1, timeout=PATIENCE)


def test_a_file_that_is_gone_or_changed_takes_no_other_along(page: Page, library: str, tmp_path: Path) -> None:
    chooser = page.locator(CHOOSER)
    chooser.set_input_files(write(tmp_path, leave="# Leave\n\nEveryone has 25 days."))
    expect(page.locator('.status[data-status="ready"]')).to_have_count(1, timeout=PATIENCE)
    chooser.set_input_files(write(tmp_path, leave="# Leave, 30 days", gone="# Gone", other="# Other", saved="# Saved"))
    expect(page.get_by_role("dialog")).to_be_visible()
    (tmp_path / "gone.md").unlink()
    (tmp_path / "saved.md").write_text("# Saved, and saved again")
    page.get_by_role("button", name="New versions").click()
    expect(page.locator("[data-results]")).to_have_text("4 files: 1 added, 1 new version, 2 refused.")
    expect(page.locator("[data-refusals]")).to_contain_text("gone.md was changed or removed since it was chosen.")
    expect(page.locator("[data-refusals]")).to_contain_text("saved.md was changed or removed since it was chosen.")


def test_a_tick_stays_when_its_row_is_refreshed(page: Page, library: str, tmp_path: Path) -> None:
    page.locator(CHOOSER).set_input_files(write(tmp_path, leave="# Leave", travel="# Travel"))
    expect(page.locator('.status[data-status="ready"]')).to_have_count(2, timeout=PATIENCE)
    page.get_by_label("Choose Leave").check()
    page.evaluate(
        """async () => {
            const { libraries } = await import("progress");
            const rows = [...document.querySelectorAll("[data-rows] tr")];
            for (const row of rows) row.dataset.stale = "";
            for (const library of libraries.values()) library.refresh(...rows.map((row) => row.dataset.document));
        }"""
    )
    expect(page.locator("tr[data-stale]")).to_have_count(0)
    expect(page.get_by_label("Choose Leave")).to_be_checked()
    expect(page.get_by_label("Choose Travel")).not_to_be_checked()


def a_folder(folder: Path, files: int) -> Path:
    """With that many short notes in two folders, an empty file, and some that are hidden."""
    for hidden in ("notes/.git", "notes/deep"):
        (folder / hidden).mkdir(parents=True)
    for number in range(files):
        (folder / "notes" / ("deep" if number % 2 else ".") / f"{number}.txt").write_text(f"Note number {number}.")
    (folder / "notes" / "empty.txt").write_text("")
    (folder / "notes" / ".hidden.txt").write_text("Secret")
    (folder / "notes" / ".git" / "config").write_text("Secret")
    return folder / "notes"


def test_a_folder_of_some_hundred_files_is_sent_with_one_bar_and_a_summary(
    page: Page, library: str, tmp_path: Path
) -> None:
    page.locator(FOLDER_CHOOSER).set_input_files(a_folder(tmp_path, 300))
    expect(page.locator("[data-results]")).to_have_text("301 files: 300 added, 1 refused.", timeout=PATIENCE)
    expect(page.locator("[data-refusals] li")).to_have_text(["empty.txt is empty. Upload a file with text in it."])
    expect(page.locator("[data-rows] tr")).to_have_count(50)
    expect(page.locator(".lead")).to_contain_text("300 documents")
    page.reload()
    expect(page.locator("[data-standing]")).to_contain_text("of 300 documents ready")
    expect(page.locator("[data-standing]")).to_be_hidden(timeout=2 * PATIENCE)
    expect(page.locator('.status[data-status="ready"]')).to_have_count(50)
    page.get_by_label("Name, title or folder").fill("notes/deep")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("[data-rows] tr")).to_have_count(50)
    expect(page.locator("[data-rows]")).not_to_contain_text("config")


def test_a_folder_can_be_dropped(page: Page, library: str) -> None:
    page.evaluate(
        """() => {
            const file = (path, text) => ({
                name: path, isFile: true, file: (resolve) => resolve(new File([text], path)) });
            const folder = (name, ...children) => ({
                name, isFile: false, createReader: () => ({
                    readEntries: (resolve) => resolve(children.splice(0, 1)) }) });
            const entry = folder("rules", file("leave.txt", "25 days."), file(".secret", "x"),
                folder("old", file("leave.txt", "20 days.")), folder(".git", file("config", "x")));
            const event = new Event("drop", { bubbles: true, cancelable: true });
            event.dataTransfer = { items: [{ webkitGetAsEntry: () => entry }] };
            document.querySelector("[data-drop]").dispatchEvent(event);
        }"""
    )
    expect(page.locator("[data-results]")).to_have_text("2 files: 2 added.")
    expect(page.locator("[data-rows] tr")).to_have_count(2)
    expect(page.locator("[data-rows]")).to_contain_text("rules/old/leave.txt")


def test_a_lost_connection_is_tried_again(page: Page, library: str, tmp_path: Path) -> None:
    page.evaluate(
        """() => {
            const really = fetch;
            window.lost = 0;
            window.fetch = (...call) => call[0].endsWith("/upload") && lost++ < 2
                ? Promise.reject(new TypeError("Failed to fetch")) : really(...call);
        }"""
    )
    page.locator(CHOOSER).set_input_files(write(tmp_path, leave="# Leave\n\nEveryone has 25 days."))
    expect(page.locator("[data-results]")).to_have_text("1 file: 1 added.", timeout=PATIENCE)
    assert page.evaluate("lost") == 3


def test_what_an_archive_holds_counts_towards_the_progress(page: Page, library: str, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        for number in range(40):
            archive.writestr(f"{number}.txt", f"Note number {number}.")
    page.locator(CHOOSER).set_input_files(tmp_path / "all.zip")
    expect(page.locator("[data-rows] tr")).to_have_count(41, timeout=PATIENCE)
    expect(page.locator("[data-standing]")).to_be_hidden(timeout=PATIENCE)
    expect(page.locator('.status[data-status="ready"]')).to_have_count(41, timeout=PATIENCE)


def test_several_files_are_added_in_the_admin(page: Page, library: str, tmp_path: Path) -> None:
    page.goto("/admin/documents/document/add/")
    page.get_by_label("Library").select_option(label=library)
    page.get_by_label("Files").set_input_files(write(tmp_path, one="# One\n\nFirst.", two="# Two\n\nSecond."))
    page.get_by_role("button", name="Upload").click()
    rows = page.get_by_role("row").filter(has_text=library)
    expect(rows.locator('.status[data-status="ready"]')).to_have_count(2, timeout=PATIENCE)
