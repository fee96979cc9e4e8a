"""Questions that this machine answers itself: its resolver, a TCP connection, a TLS handshake. Nothing is sent in them.

What is seen from here is not what the source of a request sees: another resolver, another road, another address. The
answers stand beside the trace for what they are.
"""

import socket
import ssl
from contextlib import suppress
from typing import Any

from aksnav.model.confirmation import Question, Reply, Way
from aksnav.model.text import plain

CONNECTS_WITHIN = 5.0
LONGEST = 200


def ask_here(question: Question) -> Reply:
    """Return what this machine finds; what stands in its way is the answer, not an error.

    Args:
        question: one of the ways from here.
    """
    match question.way:
        case Way.RESOLVE:
            return _resolve(question)
        case Way.HANDSHAKE:
            return _handshake(question)
        case _:
            return _connect(question)


def _resolve(question: Question) -> Reply:
    try:
        found = socket.getaddrinfo(question.target, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Reply(question=question, value="no address", facts=(("resolver", _why(error)),))
    addresses = sorted({str(item[4][0]) for item in found})
    expected = question.expected
    value = expected if expected in addresses else addresses[0]
    return Reply(question=question, value=value, facts=(("addresses", ", ".join(addresses)),))


def _connect(question: Question) -> Reply:
    try:
        with socket.create_connection((question.target, question.port), CONNECTS_WITHIN) as found:
            local = found.getsockname()[0]
    except TimeoutError:
        return Reply(question=question, value="no answer", facts=(("connect", f"none within {CONNECTS_WITHIN:g} s"),))
    except ConnectionRefusedError as error:
        return Reply(question=question, value="refused", facts=(("connect", _why(error)),))
    except OSError as error:
        return Reply(question=question, error=f"cannot connect from here: {_why(error)}")
    return Reply(question=question, value="connects", facts=(("from", str(local)),))


def _handshake(question: Question) -> Reply:
    """Shake hands as a browser would, with this machine's trusted authorities; then without, to see what is shown."""
    trusting = ssl.create_default_context()
    try:
        certificate = _certificate(question, trusting)
    except ssl.SSLCertVerificationError as error:
        said = plain(error.verify_message or str(error), LONGEST)
        return Reply(question=question, value="certificate not trusted", facts=(("verification", said),))
    except ssl.SSLError as error:
        return Reply(question=question, value="handshake fails", facts=(("TLS", plain(str(error.reason), LONGEST)),))
    except TimeoutError:
        return Reply(question=question, value="no answer", facts=(("TLS", f"none within {CONNECTS_WITHIN:g} s"),))
    except OSError as error:
        return Reply(question=question, error=f"cannot connect from here: {_why(error)}")
    names = ", ".join(str(value) for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS")
    facts = (("names", plain(names, LONGEST)), ("valid until", plain(str(certificate.get("notAfter", "")), 60)))
    return Reply(question=question, value="certificate trusted", facts=facts)


def _certificate(question: Question, context: ssl.SSLContext) -> dict[str, Any]:
    with (
        socket.create_connection((question.target, question.port), CONNECTS_WITHIN) as plain_socket,
        context.wrap_socket(plain_socket, server_hostname=question.name or question.target) as secured,
    ):
        found: dict[str, Any] = dict(secured.getpeercert() or {})
        with suppress(OSError):  # how the other side ends is not the question
            secured.unwrap()
        return found


def _why(error: BaseException) -> str:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return plain(said, LONGEST)
