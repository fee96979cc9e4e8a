"""What this machine finds out itself: its resolver, a TCP connection, a TLS handshake, all on loopback."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aksnav.model.confirmation import Question, Reply, Way
from aksnav.report.confirmation import confirmation_data, confirmation_lines, standing
from aksnav.sources.confirm import ask
from tests.unit.api_server import make_certificate

LOOPBACK = "127.0.0.1"


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Accept one connection on loopback, with TLS where a context is given; yield the port."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def accept() -> None:
            with suppress(OSError):  # whoever asks may not trust it, or leave at once
                found, _ = server.accept()
                with found:
                    if context is not None:
                        context.wrap_socket(found, server_side=True).close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(15.0)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def test_a_name_that_resolves_to_the_expected_address_agrees() -> None:
    """All its addresses are told; one of them is the one that was worked out."""
    reply = ask(Question(way=Way.RESOLVE, target="localhost", expected=LOOPBACK))
    assert (reply.value, reply.agrees) == (LOOPBACK, True)
    assert LOOPBACK in reply.facts[0][1]


def test_a_name_with_another_address_contradicts() -> None:
    """The trace went to an address that this resolver does not have for the name."""
    reply = ask(Question(way=Way.RESOLVE, target=LOOPBACK, expected="203.0.113.9"))
    assert (reply.value, reply.agrees) == (LOOPBACK, False)


@pytest.mark.parametrize("name", ["no-such-name.invalid", "a" * 70 + ".example", "."])
def test_a_name_without_an_address_is_an_answer(name: str) -> None:
    """That it does not resolve is what this machine finds; no traceback."""
    reply = ask(Question(way=Way.RESOLVE, target=name, expected=LOOPBACK))
    assert (reply.value, reply.agrees) == ("no address", False)


def test_a_port_that_answers_and_one_that_refuses() -> None:
    """Nothing is sent; the connection is closed at once."""
    with listening() as port:
        reply = ask(Question(way=Way.CONNECT, target=LOOPBACK, port=port, expected="connects"))
    assert (reply.value, reply.agrees) == ("connects", True)
    reply = ask(Question(way=Way.CONNECT, target=LOOPBACK, port=free_port(), expected="connects"))
    assert (reply.value, reply.agrees) == ("refused", False)


def test_a_certificate_that_nobody_trusts_is_told_with_its_reason(tmp_path: Path) -> None:
    """A self-signed certificate: the verification's own words."""
    make_certificate(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    with listening(context) as port:
        reply = ask(Question(way=Way.HANDSHAKE, target=LOOPBACK, port=port, name="shop.contoso.com"))
    assert (reply.value, reply.agrees) == ("certificate not trusted", None)
    assert "self" in reply.facts[0][1]


def test_a_trusted_certificate_is_told_with_its_names_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same certificate where its authority is trusted."""
    make_certificate(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "server.crt"))
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    with listening(context) as port:
        reply = ask(Question(way=Way.HANDSHAKE, target=LOOPBACK, port=port, name=LOOPBACK))
    assert reply.value == "certificate trusted"
    assert dict(reply.facts)["valid until"].endswith("GMT")


def test_a_port_that_does_not_speak_tls_fails_the_handshake() -> None:
    """It closes the connection in the middle of it."""
    with listening() as port:
        reply = ask(Question(way=Way.HANDSHAKE, target=LOOPBACK, port=port, name="x"))
    assert reply.value == "handshake fails" or "cannot connect from here" in reply.error


def reply(value: str = "", expected: str = "", error: str = "") -> Reply:
    """Return a reply about a rule's health."""
    question = Question(way=Way.RULE_HEALTH, target="/x", about="a probe", expected=expected)
    return Reply(question=question, value=value, error=error)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (reply("healthy", "healthy"), "agrees"),
        (reply("Healthy", "healthy"), "agrees"),
        (reply("unhealthy", "healthy"), "contradicts"),
        (reply("healthy"), "says"),
        (reply("", "healthy", "refused"), "no answer"),
        (reply("", "healthy"), "no answer"),
    ],
)
def test_how_an_answer_stands_to_what_was_worked_out(given: Reply, word: str) -> None:
    """A contradiction is a word of its own; no answer is never agreement."""
    assert standing(given) == word
    assert confirmation_data([given])[0]["standing"] == word


def test_a_contradiction_shows_both_sides() -> None:
    """What the network says, and what was worked out."""
    lines = "\n".join(confirmation_lines([reply("unhealthy", "healthy")]))
    assert "✖ contradicts load balancer health: unhealthy, but worked out was: healthy" in lines


def test_a_refusal_names_the_action_that_is_needed() -> None:
    """So that somebody can ask for it."""
    lines = "\n".join(confirmation_lines([reply(error="no")]))
    assert "needs    Microsoft.Network/loadBalancers/loadBalancingRules/health/action" in lines
