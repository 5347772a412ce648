"""Which addresses of the network are fetched from: public ones, and the hosts that the operator allows.

A name is resolved once, and the connection made to the very address that was looked at, so that a name which answers
differently a second time gains nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Set
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from documents.sources.types import Refused

PORTS = {80, 443}

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)
"""Of a host, as it is resolved; an IPv6 address isn't one."""

_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)
"""A host that ends in a number, as only an IPv4 address does, in whatever way of writing."""

_GLOBAL, _NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""For protocols and old 6to4 relays; Python calls parts of them global."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address belongs to one host of the open internet."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        return is_public(inner) if inner else address in _GLOBAL and address.is_global
    special = address.is_multicast or address.is_reserved or any(address in network for network in _SPECIAL)
    return address.is_global and not special


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this one end up at."""
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour


def checked(address: str, private_hosts: Set[str]) -> URL:
    """The address, as it may be fetched. Raises Refused with a sentence."""
    try:
        url = URL(address)
        host, port = url.raw_host, url.port
    except ValueError:
        raise Refused(f"{address} is no web address. Give one as https://example.com/page.") from None
    if url.scheme not in ("http", "https") or not host:
        raise Refused(f"{address} is no web address. Give one as https://example.com/page.")
    if ":" not in host and not _NAME.fullmatch(host):
        raise Refused(f"“{host}” can't be the name of a host. Give an address as https://example.com/page.")
    if url.raw_user is not None or url.raw_password is not None:
        raise Refused(f"An address with a user or password in it isn't fetched: {url.with_user(None)}.")
    if host not in private_hosts:
        if port not in PORTS:
            raise Refused(f"{address} asks for port {port}; pages are fetched from ports 80 and 443 only.")
        _check_literal(host)
    return url.with_fragment(None)


def _check_literal(host: str) -> None:
    try:
        literal = ip_address(host)
    except ValueError:
        if _NUMBER.fullmatch(host):
            raise Refused(f"“{host}” can't be the name of a host. Write an IPv4 address as four numbers.") from None
        return  # A name; the resolver looks at what it stands for.
    if not is_public(literal):
        raise private(host, host)


def private(host: str, address: str) -> Refused:
    where = host if host == address else f"{host} ({address})"
    return Refused(
        f"{where} is not on the public internet, and Footnote doesn't fetch from there. "
        "The operator can allow the host by SOURCE_PRIVATE_HOSTS."
    )


class CheckedResolver(AbstractResolver):
    """Resolves a name to public addresses only; one private among them refuses the name."""

    def __init__(self, private_hosts: Set[str]) -> None:
        self._private_hosts = private_hosts
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            if host not in self._private_hosts and not is_public(ip_address(each["host"])):
                raise private(host, each["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()
