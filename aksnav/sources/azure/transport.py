"""The one way to Azure Resource Manager: the official clients, and a policy that lets nothing but reads pass.

The policy stands after the clients' retry policy, so that it sees every request that would leave: also the POST with
which azure-mgmt-core registers a provider by itself (``ARMAutoResourceProviderRegistrationPolicy``).
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from aksnav.sources.azure.errors import (
    CredentialError,
    VerbRefusedError,
    Where,
    from_response,
    said_plainly,
    sign_in_error,
)

Json = dict[str, Any]
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
MOST_PAGES = 10_000
# Reads that are left, by either name that ARM uses (request-limits-and-throttling).
READS_LEFT = ("x-ms-ratelimit-remaining-subscription-reads", "x-ms-ratelimit-remaining-subscription-global-reads")
_CLIENT_SETTINGS: Mapping[str, Any] = {
    "connection_timeout": CONNECT_TIMEOUT,
    "read_timeout": READ_TIMEOUT,
    # A broken connection is tried once more, at once. A status is never tried again here: azure-core would sleep
    # through a Retry-After without a word.
    "retry_total": 1,
    "retry_connect": 1,
    "retry_read": 1,
    "retry_status": 0,
}


class Connection(msgspec.Struct, frozen=True, gc=False):
    """How Azure Resource Manager is reached; by default as the environment says (AZURE_CLOUD, AZURE_…, az login).

    Attributes:
        credential: an azure-core TokenCredential; None for azure-identity's default chain.
        base_url: of the Resource Manager; empty for the cloud's own.
        settings: further settings of the clients (``connection_verify``, …).
    """

    credential: Any = None
    base_url: str = ""
    settings: Mapping[str, Any] = {}


class Arm:
    """Reads from Azure Resource Manager.

    Attributes:
        calls: requests that were sent.
        reads_left: what Azure last said is left of the read budget; None as long as it did not say.
    """

    def __init__(self, connection: Connection | None = None) -> None:
        """Prepare; nothing of Azure is imported and nothing is sent yet.

        Args:
            connection: how to reach it.
        """
        self._connection = connection or Connection()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._credential: Any = None
        self.calls = 0
        self.reads_left: int | None = None

    def network(self, subscription: str) -> Any:
        """Return the NetworkManagementClient of a subscription."""
        return self._client("network", subscription)

    def containers(self, subscription: str) -> Any:
        """Return the ContainerServiceClient of a subscription."""
        return self._client("containers", subscription)

    def many(self, where: Where, ask: Callable[[], Iterable[Any]]) -> list[Json]:
        """Return every object of a list, all its pages, in wire form.

        Args:
            where: what is asked for.
            ask: makes the call of a client.

        Raises:
            ArmError, CredentialError, UnreachableError: it could not be read; a list that broke off counts as unread.
        """
        with said_plainly(where):
            return [item.as_dict() for item in ask()]

    def one(self, where: Where, ask: Callable[[], Any]) -> Json:
        """Return one object in wire form.

        Raises:
            ArmError, CredentialError, UnreachableError: it could not be read.
        """
        with said_plainly(where):
            found: Json = ask().as_dict()
            return found

    def get(self, where: Where, path: str, api_version: str) -> list[Json]:
        """Return the bodies of a GET of a path that the clients have no operation for, one for each page.

        Raises:
            ArmError, CredentialError, UnreachableError: it could not be read.
        """
        from azure.core.rest import HttpRequest

        bodies: list[Json] = []
        request = HttpRequest("GET", path, params={"api-version": api_version})
        while len(bodies) < MOST_PAGES:
            with said_plainly(where):
                # The subscription of the client does not matter: the path names its own.
                response = self.containers("").send_request(request)
                if response.status_code != HTTPStatus.OK:
                    raise from_response(response, where)
                body = response.json()
                bodies.append({} if not isinstance(body, dict) else body)
            following = bodies[-1].get("nextLink")
            if not following:
                break
            request = HttpRequest("GET", str(following))
        return bodies

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def send(self, request: Any, onward: Callable[[Any], Any]) -> Any:
        """Send a request onward if it is a read, count it, and listen to what the answer says of the budget.

        Raises:
            VerbRefusedError: it is not a GET, or it goes to another host (a nextLink that points elsewhere).
        """
        self._check(request.http_request.method.upper(), request.http_request.url)
        try:
            response = onward(request)
        except CredentialError:
            raise  # without a token nothing was sent
        except Exception:
            self._count()
            raise
        self._count()
        self._note(response.http_response.headers)
        return response

    def _check(self, verb: str, url: str) -> None:
        if verb != "GET":
            # The one known cause: azure-mgmt-core answers 409 MissingSubscriptionRegistration with a registration.
            raise VerbRefusedError(
                "the provider is not registered in the subscription, and this program only reads", HTTPStatus.CONFLICT
            )
        host = urlsplit(self._connection.base_url or _cloud_url()).netloc
        if urlsplit(url).netloc.lower() != host.lower():
            raise VerbRefusedError("a request to another host was not sent")

    def _count(self) -> None:
        with self._lock:
            self.calls += 1

    def _note(self, headers: Mapping[str, str]) -> None:
        for name in READS_LEFT:
            text = headers.get(name, "")
            if text.isdigit():
                self.reads_left = int(text)
                return

    def _client(self, sort: str, subscription: str) -> Any:
        with self._lock:
            known = self._clients.get((sort, subscription))
            if known is None:
                known = self._clients[sort, subscription] = self._made(sort, subscription)
            return known

    def _made(self, sort: str, subscription: str) -> Any:
        quiet()
        if self._credential is None:
            self._credential = _credential(self._connection)
        settings: dict[str, Any] = {**_CLIENT_SETTINGS, **self._connection.settings}
        if self._connection.base_url:
            settings["base_url"] = self._connection.base_url
        settings["per_retry_policies"] = [_read_only(self)]
        if sort == "network":
            from azure.mgmt.network import NetworkManagementClient

            return NetworkManagementClient(self._credential, subscription, **settings)
        from azure.mgmt.containerservice import ContainerServiceClient

        return ContainerServiceClient(self._credential, subscription, **settings)


def quiet() -> None:
    """Keep what the Azure packages log away from the terminal and from whoever listens to the root logger."""
    for name in ("azure", "msal"):
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _read_only(arm: Arm) -> Any:
    """Return the pipeline policy that lets only reads pass, counts them and listens to the budget."""
    from azure.core.pipeline.policies import HTTPPolicy

    class ReadOnlyPolicy(HTTPPolicy[Any, Any]):
        """Refuses what is not a GET to Azure Resource Manager."""

        def send(self, request: Any) -> Any:
            """Look at a request before it leaves, and at its answer."""
            return arm.send(request, self.next.send)

    return ReadOnlyPolicy()


def _credential(connection: Connection) -> Any:
    """Return the credential, with whatever goes wrong in it said on one line."""
    from azure.core.exceptions import ClientAuthenticationError

    chain = connection.credential
    if chain is None:
        from azure.identity import DefaultAzureCredential

        chain = DefaultAzureCredential(exclude_interactive_browser_credential=True)

    class Credential:
        """Hands out tokens of the chain."""

        def get_token(self, *scopes: str, **kwargs: Any) -> Any:
            """Return a token.

            Raises:
                CredentialError: there is none.
            """
            try:
                return chain.get_token(*scopes, **kwargs)
            except (ClientAuthenticationError, ValueError) as error:
                raise sign_in_error(error) from error

    return Credential()


def _cloud_url() -> str:
    from azure.core.settings import settings
    from azure.mgmt.core.tools import get_arm_endpoints

    return str(get_arm_endpoints(settings.azure_cloud())["resource_manager"])
