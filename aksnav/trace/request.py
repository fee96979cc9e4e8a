"""The question: from where, to what."""

from enum import StrEnum

import msgspec


class BadRequest(ValueError):  # noqa: N818 - a bad request, as the user made it, is no error of the program
    """A target or a source that cannot be understood; the message is one line for people."""


class Origin(StrEnum):
    """Where a request starts."""

    INTERNET = "internet"
    ADDRESS = "address"
    POD = "pod"
    NODE = "node"


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where the request starts.

    Attributes:
        origin: kind of place.
        address: address integer (INTERNET: one client, None for any; ADDRESS: the address).
        id: ``namespace/name`` of a Pod, or a node's name.
    """

    origin: Origin = Origin.INTERNET
    address: int | None = None
    id: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is asked.

    Attributes:
        text: the target as it was typed.
        scheme: http, https, grpc, grpcs, tcp, udp, sctp, icmp.
        host: a host name, empty where the target is an address or an object.
        address: address integer of the target, or what ``--resolve`` says; None: the name decides.
        port: 1 to 65535, or 0 where ``port_name`` says it, or the protocol has none (icmp).
        port_name: name of a Service port, where the target is a Service and its port was given by name.
        service: ``namespace/name`` where the target is a Service.
        pod: ``namespace/name`` where the target is a Pod.
        headers: names in lower case.
        sni: server name of the TLS handshake; by default the host.
    """

    text: str
    scheme: str = "tcp"
    host: str = ""
    address: int | None = None
    port: int = 0
    port_name: str = ""
    path: str = "/"
    query: str = ""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    sni: str = ""
    service: str = ""
    pod: str = ""
    source: Source = Source()
