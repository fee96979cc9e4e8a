"""Targets and sources as users type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aksnav.model.addresses import parse_address
from aksnav.trace.parse import parse_header, parse_source, parse_target
from aksnav.trace.request import BadRequest, Origin, Source


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path"),
    [
        ("https://shop.contoso.com/api?x=1", "https", "shop.contoso.com", 443, "/api"),
        ("http://shop.contoso.com:8080", "http", "shop.contoso.com", 8080, "/"),
        ("HTTPS://Shop.Contoso.Com./", "https", "shop.contoso.com", 443, "/"),
        ("grpc://api.contoso.com", "grpc", "api.contoso.com", 80, "/"),
        ("grpcs://api.contoso.com/pkg.Service/Call", "grpcs", "api.contoso.com", 443, "/pkg.Service/Call"),
        ("tcp://db.contoso.com:5432", "tcp", "db.contoso.com", 5432, "/"),
        ("udp://dns:53", "udp", "dns", 53, "/"),
        ("sctp://sig:36412", "sctp", "sig", 36412, "/"),
        ("https://bücher.example/", "https", "xn--bcher-kva.example", 443, "/"),
        ("https://h/a/../b/./c/..", "https", "h", 443, "/b/"),
        ("https://h/a#fragment", "https", "h", 443, "/a"),
    ],
)
def test_a_target_with_a_host(text: str, scheme: str, host: str, port: int, path: str) -> None:
    """Scheme, host (lower case, ASCII, no dot at the end), port (by scheme) and path (no dot segments) are read."""
    request = parse_target(text)
    assert (request.scheme, request.host, request.port, request.path) == (scheme, host, port, path)
    assert request.address is None
    assert request.sni == (host if scheme in {"https", "grpcs"} else "")
    assert request.text == text


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("10.0.0.5:443", "10.0.0.5", 443),
        ("[fd00::5]:443", "fd00::5", 443),
        ("tcp://10.0.0.5:443", "10.0.0.5", 443),
        ("https://[fd00::5]/x", "fd00::5", 443),
    ],
)
def test_a_target_with_an_address(text: str, address: str, port: int) -> None:
    """An address needs no name to be looked up; without a scheme it is TCP."""
    request = parse_target(text)
    assert (request.address, request.port, request.host) == (parse_address(address), port, "")


def test_objects_are_targets() -> None:
    """svc/ and pod/ name objects; a Service port may be given by its name."""
    assert parse_target("svc/shop/web:80").service == "shop/web"
    named = parse_target("svc/shop/web:https")
    assert (named.port, named.port_name) == (0, "https")
    pod = parse_target("pod/shop/web-1:8080")
    assert (pod.pod, pod.port) == ("shop/web-1", 8080)


def test_resolve_gives_the_name_an_address() -> None:
    """--resolve keeps the host for HTTP and TLS, and skips DNS."""
    request = parse_target("https://shop.contoso.com/", resolve="20.1.2.3")
    assert (request.host, request.address, request.sni) == (
        "shop.contoso.com",
        parse_address("20.1.2.3"),
        "shop.contoso.com",
    )


def test_method_and_headers_are_kept() -> None:
    """The method is upper case, header names lower case."""
    request = parse_target("http://h/", method="post", headers=["X-Canary: Always", "Accept:*/*"])
    assert request.method == "POST"
    assert request.headers == (("x-canary", "Always"), ("accept", "*/*"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("https://", "no host"),
        ("http:///x", "no host"),
        ("tcp://h:70000", "not a port from 1 to 65535"),
        ("tcp://h:0", "not a port from 1 to 65535"),
        ("https://h:https/", "not a port"),
        ("ftp://h/", "not one of http, https"),
        ("https://user:secret@h/", "user name or a password"),
        ("h.contoso.com:443", "no scheme"),
        ("shop.contoso.com", "no scheme"),
        ("tcp://h", "no port"),
        ("10.0.0.5", "no port"),
        ("tcp://h:80/path", "path needs a scheme"),
        ("https://fd00::1/", "brackets"),
        ("https://[nonsense]/", "not an IPv6 address"),
        ("https://-bad-/", "neither a host name"),
        ("https://a..b/", "neither a host name"),
        ("https://999.1.1.1/", "neither a host name"),
        ("svc/web:80", "NAMESPACE/NAME"),
        ("svc/shop/web", "no port"),
        ("svc/shop/web:UP_PER", "not a port"),
        ("pod/shop/web-1:http", "not a port"),
        ("https://h/a b", "space"),
        ("https://h/\x1b]0;x\x07", "unprintable"),
    ],
)
def test_what_cannot_be_understood_is_one_harmless_line(text: str, says: str) -> None:
    """Every refusal is one printable line that says what is wrong."""
    with pytest.raises(BadRequest) as raised:
        parse_target(text)
    message = str(raised.value)
    assert says in message
    assert message.isprintable()


def test_a_resolve_that_is_no_address_or_has_no_name_is_refused() -> None:
    """--resolve needs an address, and a target with a host name."""
    for target, resolve in (("https://h/", "nonsense"), ("10.0.0.5:443", "10.0.0.6"), ("svc/a/b:80", "10.0.0.6")):
        with pytest.raises(BadRequest):
            parse_target(target, resolve=resolve)


@pytest.mark.parametrize("line", ["no colon", ": value", "bad name: x", "X: a\r\nHost: b"])
def test_a_malformed_header_is_refused(line: str) -> None:
    """A header is a token, a colon, and printable text: nothing can be smuggled into the next line."""
    with pytest.raises(BadRequest):
        parse_header(line)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("internet", Source()),
        ("internet:203.0.113.9", Source(Origin.INTERNET, parse_address("203.0.113.9"))),
        ("10.1.2.3", Source(Origin.ADDRESS, parse_address("10.1.2.3"))),
        ("fd00::1", Source(Origin.ADDRESS, parse_address("fd00::1"))),
        ("pod/shop/web-1", Source(Origin.POD, id="shop/web-1")),
        ("node/aks-np1-0", Source(Origin.NODE, id="aks-np1-0")),
    ],
)
def test_sources(text: str, source: Source) -> None:
    """The internet, one client of it, an address, a Pod, a node."""
    assert parse_source(text) == source


@pytest.mark.parametrize("text", ["", "internet:x", "pod/web", "node/", "somewhere", "svc/shop/web"])
def test_a_source_that_is_none_of_these_is_refused(text: str) -> None:
    """Anything else is one line."""
    with pytest.raises(BadRequest):
        parse_source(text)


@given(st.text())
def test_no_text_makes_anything_but_a_request_or_a_refusal(text: str) -> None:
    """Whatever is typed: a request with a port, or one line."""
    for candidate in (text, f"https://{text}", f"tcp://{text}:1", f"svc/{text}:1"):
        request, refusal = None, ""
        try:
            request = parse_target(candidate)
        except BadRequest as error:
            refusal = str(error)
        assert refusal.isprintable()
        assert request is None or 1 <= request.port <= 65535 or request.port_name
        assert (request is None) == bool(refusal)
