"""What can go wrong between this program and Azure Resource Manager, each with one line for people."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import msgspec

from aksnav.model.text import plain
from aksnav.sources.errors import SourceError

_REFUSED = re.compile(r"perform action '([^']+)' over scope '([^']+)'")
_REFUSAL_CODES = frozenset({"", "AuthorizationFailed", "LinkedAuthorizationFailed"})
_ERRNO = re.compile(r"\[Errno -?\d+\] ([^()\[\]]+)")
_LONGEST = 200
_FIRST_SENTENCE = re.compile(r"^(.*?[^.\s])(?:\.\s|\.?$)", re.DOTALL)
NO_CREDENTIALS = "no Azure credentials: run 'az login', or set AZURE_CLIENT_ID, AZURE_TENANT_ID and a secret"


class Where(msgspec.Struct, frozen=True, gc=False):
    """What was asked for: the action that it needs, and the scope on which it is needed.

    Attributes:
        action: as in a role definition, ``Microsoft.Network/loadBalancers/read``.
        scope: ARM id of a subscription, a resource group or a resource.
        aside: little depends on it: where it is refused, nothing is missing.
    """

    action: str
    scope: str
    aside: bool = False

    def __str__(self) -> str:
        return f"{self.action} on {self.scope}"


class VerbRefusedError(Exception):
    """Something in this program, or in the Azure packages, tried to send what is not a read; it was not sent.

    Attributes:
        status: HTTP status of the answer that led to it.
    """

    def __init__(self, message: str, status: int = HTTPStatus.OK) -> None:
        super().__init__(message)
        self.status = status


class CredentialError(SourceError):
    """There are no credentials, or they are not accepted: nothing of Azure can be read."""


class UnreachableError(SourceError):
    """Azure Resource Manager could not be reached, or the connection broke."""


class ThrottledError(SourceError):
    """Azure asks to wait for longer than a round of reading may last (429)."""


class ArmError(SourceError):
    """Azure Resource Manager answered with an error.

    Attributes:
        status: HTTP status.
        where: what was asked for; for a refusal the action and scope that Azure named.
        retry_after: seconds that Azure asks to wait (429), 0 if it does not say.
    """

    def __init__(self, status: int, where: Where, said: str = "", retry_after: float = 0.0) -> None:
        super().__init__(f"{plain(str(where))} ({f'{status} {said}'.rstrip()})")
        self.status = status
        self.where = where
        self.retry_after = retry_after

    @property
    def denied(self) -> bool:
        """The account may not do this."""
        return self.status == HTTPStatus.FORBIDDEN

    @property
    def missing(self) -> bool:
        """There is no such resource."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def throttled(self) -> bool:
        """Too many requests were made."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS


@contextmanager
def said_plainly(where: Where) -> Iterator[None]:
    """Turn whatever the Azure packages raise inside into an error of this program.

    Args:
        where: what is asked for.

    Raises:
        ArmError: Azure answered with an error, or with something that is not an answer of its API.
        CredentialError: the token was not accepted.
        UnreachableError: there was no answer.
    """
    from azure.core.exceptions import (
        AzureError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    try:
        yield
    except HttpResponseError as error:
        raise from_response(error.response, where) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        raise UnreachableError(
            f"Azure Resource Manager cannot be reached: {_reason(error)}; check the network, and HTTPS_PROXY"
        ) from error
    except VerbRefusedError as error:
        raise ArmError(error.status, where, str(error)) from error
    except (AzureError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise ArmError(HTTPStatus.OK, where, "not an answer of Azure Resource Manager") from error


def from_response(response: Any, where: Where) -> SourceError:
    """Return the error that a response makes; None stands for an answer that cannot be read."""
    if response is None or response.status_code < HTTPStatus.BAD_REQUEST:
        return ArmError(HTTPStatus.OK, where, "not an answer of Azure Resource Manager")
    status = int(response.status_code)
    code, message = _error(response)
    if status == HTTPStatus.UNAUTHORIZED:
        said = f"{code}: {message}" if code else message
        return CredentialError(f"Azure does not accept the credentials ({status} {said}): run 'az login'")
    if status == HTTPStatus.FORBIDDEN:
        refused = _REFUSED.search(message)
        if refused is not None:
            where = Where(plain(refused[1], _LONGEST), plain(refused[2], _LONGEST))
        return ArmError(status, where, "" if code in _REFUSAL_CODES else code)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = retry_after(response.headers)
        return ArmError(status, where, f"too many requests; Azure asks to wait {seconds:g} s", seconds)
    return ArmError(status, where, code or message)


def retry_after(headers: Any) -> float:
    """Return the seconds of a Retry-After header (also of its forms in milliseconds or as a date), 0 without one."""
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        text = str(headers.get(name) or "").strip()
        try:
            return max(0.0, float(text) * unit)
        except ValueError:
            continue
    return 0.0


def sign_in_error(error: BaseException) -> CredentialError:
    """Return why no token could be had, on one line: the chain's own message is a page long."""
    from azure.identity import CredentialUnavailableError

    if isinstance(error, CredentialUnavailableError) or "failed to retrieve a token" in str(error):
        return CredentialError(NO_CREDENTIALS)
    found = _FIRST_SENTENCE.match(str(error).strip())
    return CredentialError(
        f"Azure sign-in failed: {plain(found[1] if found else str(error), _LONGEST)}; run 'az login'"
    )


def _error(response: Any) -> tuple[str, str]:
    """Return code and message of an ARM error body, harmless and short."""
    try:
        body = response.json()
    except ValueError:
        return "", ""
    inner = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(inner, dict):
        return "", ""
    # A refusal's message names action and scope, which are long: it is cut only where it is shown.
    return plain(str(inner.get("code") or ""), _LONGEST), plain(str(inner.get("message") or ""))


def _reason(error: BaseException) -> str:
    """Return why a connection failed, in the words of the deepest cause, on one line."""
    deepest: BaseException = error
    while (inner := deepest.__cause__ or deepest.__context__) is not None:
        deepest = inner
    said = (deepest.strerror if isinstance(deepest, OSError) else None) or str(deepest) or type(deepest).__name__
    numbered = _ERRNO.search(said)  # urllib3 wraps it in its own words
    return plain(numbered[1] if numbered else said, _LONGEST)
