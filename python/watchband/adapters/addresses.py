"""Which network addresses may be spoken to: what a configured URL must not reach by accident or by a trick."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from watchband.core.errors import ConfigError, PermanentError, TransientError

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"))
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
ADDRESSES_MAX = 6
"""So many addresses of one name are tried."""
SWITCH = "Write allow_private: true if that is meant"


def refusal(address: Ip, *, allow_private: bool) -> str:
    """Why an address is not spoken to; empty where it may be.

    Metadata services of clouds hand out credentials and are never meant; nor are group and undefined addresses.

    Parameters
    ----------
    address : IPv4Address or IPv6Address
        As it would be connected to.
    allow_private : bool
        Private, loopback and link-local ones are allowed.

    Examples
    --------
    >>> [refusal(ipaddress.ip_address(a), allow_private=False) for a in ("8.8.8.8", "::ffff:10.0.0.1", "127.0.0.1")]
    ['', 'private', 'loopback']
    """
    inner = _embedded(address)
    if inner is not None:
        return refusal(inner, allow_private=allow_private)
    if address in _METADATA:
        return "a metadata service"
    if address.is_unspecified or address.is_multicast or int(address) == 2**32 - 1:
        return "no address of a single machine"
    if allow_private:
        return ""
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return "" if address.is_global and not site_local else "private"


def _embedded(address: Ip) -> Ip | None:
    """The IPv4 address that an IPv6 address stands for; traffic ends up there."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64_LOCAL:
        return ipaddress.IPv4Address("10.0.0.0")
    if address in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    if address in _COMPATIBLE and int(address) > 0xFFFF:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def check_host(host: str, *, allow_private: bool) -> None:
    """Refuse at once what can be known without asking the network.

    Raises
    ------
    ConfigError
        The host is such an address, or a name of this machine.
    """
    bare = host.strip("[]").rstrip(".").lower()
    try:
        why = refusal(ipaddress.ip_address(bare.partition("%")[0]), allow_private=allow_private)
    except ValueError:
        here = bare == "localhost" or bare.endswith(".localhost")
        why = "loopback" if here and not allow_private else ""
    if why:
        raise ConfigError(f"{host} is {_described(why)}. {_advice(why)}.")


def check_url(url: str, *, allow_private: bool) -> None:
    """``check_host`` for the host of a URL."""
    check_host(urlsplit(url).hostname or "", allow_private=allow_private)


def resolved(host: str, port: int) -> Sequence[str]:
    """Numeric addresses of a name, in the system's order. Takes as long as the system's resolver does."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted(host: str, port: int, *, allow_private: bool, resolve: Resolve = resolved) -> list[str]:
    """The addresses of a host that may be connected to; connect to these and never to the name again.

    Raises
    ------
    TransientError
        The name has no address now.
    PermanentError
        It has, but none that may be spoken to.
    """
    try:
        numbers = resolve(host, port)
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or "no host name"
        raise TransientError(f"{host} has no address now: {said}. Check the name and the resolver.") from None
    whys = {n: refusal(ipaddress.ip_address(n.partition("%")[0]), allow_private=allow_private) for n in numbers}
    good = [n for n, why in whys.items() if not why]
    if not whys:
        raise TransientError(f"{host} has no address now. Check the name and the resolver.")
    if not good:
        number, why = next(iter(whys.items()))
        raise PermanentError(f"{host} stands for {number}, which is {_described(why)}. {_advice(why)}.")
    return good[:ADDRESSES_MAX]


def _described(why: str) -> str:
    return why if " " in why else f"a {why} address"


def _advice(why: str) -> str:
    return "It is never spoken to" if " " in why else SWITCH
