"""What a user types, made into a request: targets, sources, headers.

The forms are those of ``aksnav trace --help``; a URL follows RFC 3986, a host name RFC 1123 (underscores, which DNS
carries, are let through), an internationalised name is turned into its ASCII form (RFC 3490).
"""

import re
from collections.abc import Iterable

from aksnav.model.addresses import parse_address
from aksnav.model.text import plain
from aksnav.trace.request import BadRequest, Origin, Request, Source

DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}
TRANSPORTS = ("tcp", "udp", "sctp", "icmp")
HIGHEST_PORT = 65535
LONGEST_NAME = 253

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def parse_target(
    text: str,
    source: str | Source = "internet",
    resolve: str = "",
    method: str = "GET",
    headers: Iterable[str] = (),
) -> Request:
    """Return the request that a target, a source and the options of a trace mean.

    Args:
        text: a URL (http, https, grpc, grpcs), ``tcp://HOST:PORT`` (udp, sctp), ``ADDRESS:PORT``,
            ``icmp://HOST`` (an echo request, as ping sends it),
            ``svc/NAMESPACE/NAME:PORT`` or ``pod/NAMESPACE/NAME:PORT``.
        source: see ``parse_source``.
        resolve: an address that stands for the host of the target, as with curl's ``--resolve``.
        method: of an HTTP request.
        headers: lines of the form ``Name: value``.

    Raises:
        BadRequest: one line that says what cannot be understood, and what could be.
    """
    text = text.strip()
    if not text or not text.isprintable() or " " in text:
        raise BadRequest(f"target {_shown(text)}: it is empty or has a space or an unprintable character in it")
    start = source if isinstance(source, Source) else parse_source(source)
    if not _TOKEN.fullmatch(method):
        raise BadRequest(f"method {_shown(method)} is not an HTTP method; for example GET or POST")
    lines = tuple(parse_header(line) for line in headers)
    kind, slash, rest = text.partition("/")
    if slash and kind in {"svc", "service", "pod", "po"} and not rest.startswith("/"):
        request = _object(text, "pod" if kind in {"pod", "po"} else "service", rest)
        if resolve:
            raise BadRequest(f"target {_shown(text)} has no host name: --resolve does not apply")
    else:
        request = _url(text, resolve)
    return Request(
        text=text,
        scheme=request.scheme,
        host=request.host,
        address=request.address,
        port=request.port,
        port_name=request.port_name,
        path=request.path,
        query=request.query,
        method=method.upper(),
        headers=lines,
        sni=request.sni,
        service=request.service,
        pod=request.pod,
        source=start,
    )


def parse_source(text: str) -> Source:
    """Return where a request starts: ``internet``, ``internet:ADDRESS``, an address, ``pod/NS/NAME``, ``node/NAME``.

    Raises:
        BadRequest: one line.
    """
    text = text.strip()
    kind, slash, rest = text.partition("/")
    if text.lower() == "internet":
        return Source()
    if text.lower().startswith("internet:"):
        address = parse_address(text[len("internet:") :].strip("[]"))
        if address is None:
            raise BadRequest(f"source {_shown(text)}: behind internet: there must be an address")
        return Source(Origin.INTERNET, address)
    if slash and kind in {"pod", "po"}:
        return Source(Origin.POD, id=_object_id(f"source {_shown(text)}", rest))
    if slash and kind in {"node", "no"}:
        if not _OBJECT_NAME.fullmatch(rest):
            raise BadRequest(f"source {_shown(text)}: {_shown(rest)} is not the name of a node")
        return Source(Origin.NODE, id=rest)
    address = parse_address(text.strip("[]"))
    if address is None:
        raise BadRequest(
            f"source {_shown(text)} is none of: internet, internet:ADDRESS, an address, pod/NAMESPACE/NAME, node/NAME"
        )
    return Source(Origin.ADDRESS, address)


def parse_header(line: str) -> tuple[str, str]:
    """Return the name in lower case and the value of ``Name: value``.

    Raises:
        BadRequest: one line.
    """
    name, colon, value = line.partition(":")
    if not colon or not _TOKEN.fullmatch(name.strip()) or not value.strip().isprintable():
        raise BadRequest(f"header {_shown(line)} is not of the form 'Name: value'")
    return name.strip().lower(), value.strip()


def _object(text: str, kind: str, rest: str) -> Request:
    ident, colon, port = rest.rpartition(":")
    where = f"target {_shown(text)}"
    if not colon or not port:
        raise BadRequest(f"{where} has no port; write {text.partition('/')[0]}/NAMESPACE/NAME:PORT")
    ident = _object_id(where, ident)
    if port.isascii() and port.isdigit():
        number, name = _port(where, port), ""
    elif kind == "service" and _PORT_NAME.fullmatch(port):
        number, name = 0, port
    else:
        raise BadRequest(f"{where}: {_shown(port)} is not a port")
    if kind == "pod":
        return Request(text=text, pod=ident, port=number)
    return Request(text=text, service=ident, port=number, port_name=name)


def _object_id(where: str, text: str) -> str:
    parts = text.split("/")
    if len(parts) != 2 or not all(_OBJECT_NAME.fullmatch(part) for part in parts):  # noqa: PLR2004 - namespace and name
        raise BadRequest(f"{where}: {_shown(text)} is not of the form NAMESPACE/NAME")
    return text


def _url(text: str, resolve: str) -> Request:
    found = _SCHEME.fullmatch(text)
    scheme, rest = (found[1].lower(), found[2]) if found else ("", text)
    if found and scheme not in DEFAULT_PORTS and scheme not in TRANSPORTS:
        raise BadRequest(
            f"target {_shown(text)}: scheme {_shown(scheme)} is not one of http, https, grpc, grpcs, "
            "tcp, udp, sctp, icmp"
        )
    authority, path, query = _split(rest)
    host, address, port = _authority(text, authority, DEFAULT_PORTS.get(scheme, 0))
    if not scheme and address is None:
        raise BadRequest(f"target {_shown(text)} has no scheme; write https://{plain(rest, 80)} or tcp://HOST:PORT")
    if (not scheme or scheme in TRANSPORTS) and (path or query):
        raise BadRequest(f"target {_shown(text)}: a path needs a scheme that has paths: http, https, grpc or grpcs")
    if scheme == "icmp" and port:
        raise BadRequest(f"target {_shown(text)}: ICMP has no ports; write icmp://{plain(host, 80) or 'ADDRESS'}")
    if not port and scheme != "icmp":
        raise BadRequest(f"target {_shown(text)} has no port; write {scheme or 'tcp'}://HOST:PORT")
    if resolve:
        if address is not None:
            raise BadRequest(f"target {_shown(text)} is an address already: --resolve does not apply")
        address = parse_address(resolve.strip("[]"))
        if address is None:
            raise BadRequest(f"--resolve {_shown(resolve)} is not an address")
    return Request(
        text=text,
        scheme=scheme or "tcp",
        host=host,
        address=address,
        port=port,
        path=_without_dots(path or "/"),
        query=query,
        sni=host if scheme in {"https", "grpcs"} else "",
    )


def _split(rest: str) -> tuple[str, str, str]:
    """Divide what stands behind ``scheme://`` into authority, path and query; a fragment never leaves the client."""
    rest = rest.partition("#")[0]
    before, _, query = rest.partition("?")
    authority, slash, path = before.partition("/")
    return authority, slash + path, query


def _authority(text: str, authority: str, port: int) -> tuple[str, int | None, int]:
    where = f"target {_shown(text)}"
    if "@" in authority:
        raise BadRequest(f"{where} has a user name or a password in it, which a trace has no use for; leave it out")
    if authority.startswith("["):
        inner, closed, tail = authority[1:].partition("]")
        address = parse_address(inner) if ":" in inner else None
        if not closed or address is None or (tail and not tail.startswith(":")):
            raise BadRequest(f"{where}: {_shown(authority)} is not an IPv6 address in brackets")
        return "", address, _port(where, tail[1:]) if len(tail) > 1 else port
    host, colon, number = authority.partition(":")
    if ":" in number:
        raise BadRequest(f"{where}: an IPv6 address stands in brackets: [{_shown(authority)}]:PORT")
    if colon and number:
        port = _port(where, number)
    if not host:
        raise BadRequest(f"{where} has no host")
    address = parse_address(host)
    return ("", address, port) if address is not None else (_host(where, host), None, port)


def _host(where: str, host: str) -> str:
    name = host.removesuffix(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise BadRequest(f"{where}: {_shown(host)} is not a host name") from None
    labels = name.split(".")
    if len(name) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise BadRequest(f"{where}: {_shown(host)} is neither a host name nor an address")
    return name


def _port(where: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= HIGHEST_PORT:
        raise BadRequest(f"{where}: {_shown(text)} is not a port from 1 to {HIGHEST_PORT}")
    return int(text)


def _without_dots(path: str) -> str:
    """Return the path as clients send it, without dot segments (RFC 3986, section 5.2.4)."""
    if "/." not in path:
        return path
    out: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            if out:
                out.pop()
        elif part != ".":
            out.append(part)
    if parts[-1] in {".", ".."}:
        out.append("")
    return "/" + "/".join(out)


def _shown(text: str) -> str:
    return f"'{plain(text, 120)}'"
