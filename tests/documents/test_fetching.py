"""What is fetched from the web, and from where it never is."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from documents.rag.errors import FootnoteError
from documents.sources.addresses import checked, is_public
from documents.sources.sitemap import Sitemap
from documents.sources.types import Busy, Fetched, Mark, Refused, Unreachable, Vanished
from documents.sources.web import Web, WebPage, file_name
from tests.web_server import WebSite

LIMIT = 1 << 20


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as running:
        yield running


@pytest_asyncio.fixture
async def web() -> AsyncIterator[Web]:
    """Lets the tests' own site be fetched from."""
    async with Web({"127.0.0.1"}, LIMIT) as opened:
        yield opened


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[Web]:
    """As it is where the operator allows nothing."""
    async with Web(frozenset(), LIMIT) as opened:
        yield opened


async def read(web: Web, address: str, known: Mark | None = None) -> bytes:
    fetched = await web.get(address, known)
    assert isinstance(fetched, Fetched)
    with fetched.file as file:
        return file.read()


# --- Addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("file:///etc/passwd", "is no web address"),
        ("ftp://example.com/", "is no web address"),
        ("gopher://example.com/", "is no web address"),
        ("//example.com/", "is no web address"),
        ("example.com", "is no web address"),
        ("http://", "is no web address"),
        ("http://[::1", "is no web address"),
        ("http://example.com:99999/", "is no web address"),
        ("http://user@example.com/", "with a user or password"),
        ("http://user:secret@example.com/", "with a user or password"),
        ("http://example.com:8080/", "ports 80 and 443 only"),
        ("http://example.com:22/", "ports 80 and 443 only"),
        ("http://127.0.0.1/", "not on the public internet"),
        ("http://[::1]/", "not on the public internet"),
        ("http://[::ffff:127.0.0.1]/", "not on the public internet"),
        ("http://169.254.169.254/latest/meta-data/", "not on the public internet"),
        ("http://127.1/", "can't be the name of a host"),
        ("http://2130706433/", "can't be the name of a host"),
        ("http://0x7f000001/", "can't be the name of a host"),
        ("http://example.0x7f/", "can't be the name of a host"),
        ("http://①②⑦.⓪.⓪.①/", "not on the public internet"),
    ],
)
def test_an_address_is_refused_with_a_sentence(address: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refusal:
        checked(address, frozenset())
    assert "secret" not in str(refusal.value)


async def test_no_spelling_of_this_machine_is_reached(outside: Web) -> None:
    for host in ("localhost", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "0"):
        with pytest.raises(FootnoteError, match=r"not on the public internet|can't be the name of a host"):
            await outside.get(f"http://{host}/")


async def test_a_name_is_resolved_once_and_refused_where_one_of_its_addresses_is_private(
    outside: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def resolve(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        found = ["93.184.216.34", "127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Refused, match=r"rebinding\.example \(127\.0\.0\.1\) is not on the public internet"):
        await outside.get("http://rebinding.example/")
    assert asked == ["rebinding.example"]


async def test_a_redirect_to_a_private_address_is_refused(web: Web, site: WebSite) -> None:
    for target in ("http://10.0.0.1/", "http://localhost/", "http://[::1]/", "file:///etc/passwd", "http://[bad"):
        site.put("/away", status=302, location=target)
        with pytest.raises(Refused):
            await web.get(f"{site.url}/away")


# --- Fetching ---------------------------------------------------------------------------------


async def test_it_works(web: Web, site: WebSite) -> None:
    site.put("/old", status=301, location="/leave")
    site.put("/leave", "<p>25 days</p>", content_type="text/html; charset=utf-8", etag='"1"')
    fetched = await web.get(f"{site.url}/old")
    assert fetched is not None
    with fetched.file as file:
        assert (fetched.name, file.read(), fetched.mark.etag) == ("leave.html", b"<p>25 days</p>", '"1"')


async def test_what_is_known_is_not_sent_again(web: Web, site: WebSite) -> None:
    site.put("/leave", "25 days", etag='"1"')
    assert await web.get(f"{site.url}/leave", Mark(etag='"1"')) is None
    assert await read(web, f"{site.url}/leave", Mark(etag='"0"')) == b"25 days"


async def test_redirects_end(web: Web, site: WebSite) -> None:
    site.put("/round", status=302, location="/round")
    with pytest.raises(Unreachable, match="leads on and on"):
        await web.get(f"{site.url}/round")
    assert len(site.history) == 6


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_gone_is_told_from_an_error(web: Web, site: WebSite, status: int) -> None:
    site.put("/gone", status=status)
    with pytest.raises(Vanished):
        await web.get(f"{site.url}/gone")


@pytest.mark.parametrize("status", [401, 403, 500, 502])
async def test_an_error_page_is_no_document(web: Web, site: WebSite, status: int) -> None:
    site.put("/broken", "<h1>Oops</h1>", status=status)
    with pytest.raises(Unreachable, match=f"answered with an error \\({status}\\)"):
        await web.get(f"{site.url}/broken")


async def test_a_server_that_is_away_is_told(web: Web, site: WebSite) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="can't be reached"):
            await web.get(f"http://127.0.0.1:{probe.getsockname()[1]}/")


async def test_a_large_file_is_refused(web: Web, site: WebSite) -> None:
    site.put("/large", b"x" * (LIMIT + 1))
    with pytest.raises(Refused, match="has more than 1 MB"):
        await web.get(f"{site.url}/large")


async def test_a_small_file_that_unpacks_to_a_large_one_is_refused(web: Web, site: WebSite) -> None:
    site.put("/bomb", gzip.compress(bytes(300 * LIMIT)), content_encoding="gzip")
    with pytest.raises(Refused, match="has more than 1 MB"):
        await web.get(f"{site.url}/bomb")


async def test_a_server_that_takes_too_long_is_given_up(
    web: Web, site: WebSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = site.put("/slow", "late")
    reply.gate = threading.Event()
    monkeypatch.setattr(web._session, "_timeout", aiohttp.ClientTimeout(total=0.1))
    with pytest.raises(Unreachable, match="did not answer in time"):
        await web.get(f"{site.url}/slow")
    reply.gate.set()


async def test_a_server_that_asks_to_be_left_alone_is_asked_again_after_that(
    web: Web, site: WebSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        site.put("/busy", "here")

    monkeypatch.setattr("documents.sources.web.sleep", sleep)
    site.put("/busy", status=429, retry_after="7")
    assert await read(web, f"{site.url}/busy") == b"here"
    assert pauses == [7.0]


async def test_a_server_that_asks_for_a_long_pause_gets_it(web: Web, site: WebSite) -> None:
    site.put("/busy", status=503, retry_after="3600")
    with pytest.raises(Busy) as busy:
        await web.get(f"{site.url}/busy")
    assert busy.value.retry_after == 3600


async def test_no_proxy_of_the_environment_is_used(web: Web, site: WebSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    site.put("/leave", "25 days")
    assert await read(web, f"{site.url}/leave") == b"25 days"


@pytest.mark.parametrize(
    ("path", "content_type", "name"),
    [
        ("/", "text/html", "example.com.html"),
        ("/docs/leave", "text/html", "leave.html"),
        ("/docs/leave/", "application/xhtml+xml", "leave.html"),
        ("/index.php", "text/html", "index.php.html"),
        ("/v1.2", "text/html", "v1.2.html"),
        ("/plan.pdf", "application/pdf", "plan.pdf"),
        ("/download?id=7", "application/pdf", "download.pdf"),
        ("/readme.md", "text/plain", "readme.md"),
        ("/plan.pdf", "application/octet-stream", "plan.pdf"),
        ("/a/%C3%BCber%20uns", "text/html", "über uns.html"),
    ],
)
def test_the_content_type_decides_the_ending(path: str, content_type: str, name: str) -> None:
    assert file_name(URL(f"https://example.com{path}"), content_type) == name


# --- Sitemaps ---------------------------------------------------------------------------------


async def listed(web: Web, address: str) -> list[str]:
    return [URL(item.source).path for item in await Sitemap(web, address).items()]


async def test_a_sitemap_lists_the_pages_of_its_own_host(web: Web, site: WebSite) -> None:
    site.put_sitemap("/sitemap.xml", "/one", ("/two", "2026-01-01"), "https://elsewhere.example/three", "/one")
    items = await Sitemap(web, f"{site.url}/sitemap.xml").items()
    assert [(item.source, item.modified) for item in items] == [
        (f"{site.url}/one", ""),
        (f"{site.url}/two", "2026-01-01"),
    ]


async def test_an_index_leads_to_its_sitemaps_packed_ones_too(web: Web, site: WebSite) -> None:
    site.put("/map.xml", "".join(["<sitemapindex>", *(
        f"<sitemap><loc>{site.url}{path}</loc></sitemap>" for path in ("/a.xml", "/b.xml.gz", "/map.xml")
    ), "</sitemapindex>"]))  # fmt: skip
    site.put_sitemap("/a.xml", "/one")
    packed = site.put_sitemap("/b.xml.gz", "/two")
    packed.body = gzip.compress(packed.body)
    assert await listed(web, f"{site.url}/map.xml") == ["/one", "/two"]


async def test_robots_are_heeded(web: Web, site: WebSite) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /private/\n")
    site.put_sitemap("/sitemap.xml", "/one", "/private/two")
    assert await listed(web, f"{site.url}/sitemap.xml") == ["/one"]


async def test_robots_that_can_not_be_read_stop_it(web: Web, site: WebSite) -> None:
    site.put("/robots.txt", status=500)
    site.put_sitemap("/sitemap.xml", "/one")
    with pytest.raises(Unreachable, match=r"robots\.txt answered with an error"):
        await listed(web, f"{site.url}/sitemap.xml")


@pytest.mark.parametrize(
    "body",
    [
        b"<html><p>Maintenance<br></html>",
        b"not XML at all",
        b"",
        gzip.compress(b"<urlset/>")[:20],
        gzip.compress(bytes(60 << 20)),
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]><urlset><url><loc>&c;',
    ],
    ids=["error page", "text", "empty", "cut off", "bomb", "entities"],
)
async def test_what_is_no_sitemap_is_told(web: Web, site: WebSite, body: bytes) -> None:
    site.put("/sitemap.xml", body)
    with pytest.raises(FootnoteError):
        await listed(web, f"{site.url}/sitemap.xml")


async def test_no_entity_is_expanded(web: Web, site: WebSite) -> None:
    site.put(
        "/sitemap.xml",
        '<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        f"<urlset><url><loc>{site.url}/one</loc></url><url><loc>&x;</loc></url></urlset>",
    )
    assert await listed(web, f"{site.url}/sitemap.xml") == ["/one"]


async def test_a_page_that_its_sitemap_says_is_unchanged_is_not_asked_for(web: Web, site: WebSite) -> None:
    site.put_sitemap("/sitemap.xml", ("/one", "2026-01-01"))
    site.put_page("/one", "One")
    sitemap = Sitemap(web, f"{site.url}/sitemap.xml")
    [item] = await sitemap.items()
    fetched = await sitemap.fetch(item, Mark())
    assert fetched is not None
    fetched.file.close()
    assert await sitemap.fetch(item, fetched.mark) is None
    assert site.asked("/one") == [200]


async def test_a_page_lies_in_a_folder_of_its_host(web: Web) -> None:
    [item] = await WebPage(web, "https://example.com/docs/leave").items()
    assert item.folder == "example.com/docs"
