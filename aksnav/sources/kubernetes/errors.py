"""What can go wrong between this program and an API server, each with one line for people."""

import re
from http import HTTPStatus

import msgspec

from aksnav.model.text import plain
from aksnav.sources.errors import SourceError

_USER = re.compile(r'User "([^"]*)" cannot')
_LONGEST = 300


class ConfigError(SourceError):
    """The kubeconfig cannot be used as asked; the message says what, where and what to do."""


class VerbRefusedError(Exception):
    """Something in this program tried to send a verb that is not a read; it was not sent."""


class LinkError(SourceError):
    """The API server could not be reached, or the connection broke."""


class StoppedError(Exception):
    """The source was told to stop while it waited."""


class _Details(msgspec.Struct, rename="camel", gc=False):
    retry_after_seconds: int | None = None


class _ListMeta(msgspec.Struct, rename="camel", gc=False):
    continue_: str | None = msgspec.field(name="continue", default=None)


class Status(msgspec.Struct, gc=False):
    """A metav1.Status as far as it is used."""

    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: _Details | None = None
    metadata: _ListMeta | None = None


class ApiError(SourceError):
    """The API server answered with an error.

    Attributes:
        code: HTTP status, or the code of an ERROR event in a watch.
        message: what the server said, harmless and on one line.
        retry_after: seconds that the server asks to wait, 0 if it does not.
    """

    def __init__(self, code: int, message: str, retry_after: float = 0.0) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def expired(self) -> bool:
        """The resource version or the continue token is too old (410 Gone, reason Expired)."""
        return self.code == HTTPStatus.GONE

    @property
    def denied(self) -> bool:
        """The user may not do this."""
        return self.code == HTTPStatus.FORBIDDEN


_STATUS = msgspec.json.Decoder(Status)


def api_error(code: int, body: bytes, retry_after: str = "") -> ApiError:
    """Return the error that a status, a body and a Retry-After header make (in seconds, as Kubernetes sends it)."""
    try:
        status = _STATUS.decode(body)
    except msgspec.MsgspecError:
        status = Status(message=body[:_LONGEST].decode(errors="replace"))
    seconds = float(retry_after) if retry_after.isdigit() else 0.0
    if not seconds and status.details is not None:
        seconds = float(status.details.retry_after_seconds or 0)
    return ApiError(code, _said(code, status.message or "") or _phrase(code), seconds)


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase.lower()
    except ValueError:
        return "error"


def _said(code: int, message: str) -> str:
    """Return the short form of what the server said: for a refusal only who was refused."""
    if code == HTTPStatus.FORBIDDEN:
        user = _USER.search(message)
        if user is not None:
            return f'forbidden for user "{plain(user[1], _LONGEST)}"'
    if code == HTTPStatus.UNAUTHORIZED:
        return "credentials not accepted"
    return plain(message, _LONGEST)
