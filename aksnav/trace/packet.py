"""The packet on its way: what each hop sees of it."""

import msgspec


class Packet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A packet, and the request in it, at one place of the road.

    Attributes:
        source: address integer of the sender as seen here; None where it is any address of ``source_word``.
        source_word: a name for the sender where no single address stands for it (``Internet``).
        destination: address integer of the receiver as seen here; None before the name is resolved.
        port: destination port (0 where the protocol has none).
        protocol: TCP, UDP, SCTP or ICMP (an echo request, of either family).
        scheme: http, https, grpc, grpcs, tcp, udp, sctp, icmp.
        host, path, query, method, headers: of the HTTP request; empty for others. Header names are lower case.
        sni: server name of the TLS handshake, empty without TLS.
        tls: the bytes are encrypted here.
        resolved: a DNS name that the sender asked for, and the address that was found (None while it is looked for).
    """

    source: int | None = None
    source_word: str = ""
    destination: int | None = None
    port: int = 0
    protocol: str = "TCP"
    scheme: str = "tcp"
    host: str = ""
    path: str = ""
    query: str = ""
    method: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    sni: str = ""
    tls: bool = False
    resolved: tuple[str, int | None] | None = None

    @property
    def http(self) -> bool:
        """Whether there is an HTTP request in it (gRPC is one)."""
        return self.scheme in {"http", "https", "grpc", "grpcs"}
