"""The one way to an API server: the official client's configuration and connection pool, and GET.

``Transport._send`` is the only place from which a request leaves, and it refuses every verb but GET. The one POST,
SelfSubjectAccessReview (which changes nothing: authorization.k8s.io/v1), has a method of its own that names it.
"""

import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from aksnav import __version__
from aksnav.model.text import plain
from aksnav.sources.kubernetes.contexts import Login, heard
from aksnav.sources.kubernetes.errors import ApiError, LinkError, VerbRefusedError, api_error
from aksnav.sources.kubernetes.pace import Pace

JSON = "application/json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
ACCESS_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
_HEADER_LIFE = 10.0
_RELOAD_PERIOD = 30.0
AGENT = {"User-Agent": f"aksnav/{__version__}"}  # whoever reads the cluster's audit log sees who asked
_CONNECTIONS = 64
_CHUNK = 65_536
_GZIP_WINDOW = 31
_ERROR_BODY = 65_536
Query = Mapping[str, str | int]


class Stream:
    """The body of a response that has no end of its own: a watch."""

    def __init__(self, response: Any, host: str) -> None:
        self._response = response
        self._host = host

    def chunks(self) -> Iterator[bytes]:
        """Return pieces of the body as they come, until the server ends it.

        Raises:
            LinkError: the connection broke, or nothing came for the idle time.
        """
        from urllib3.exceptions import HTTPError

        try:
            yield from self._response.stream(_CHUNK, decode_content=False)
        except (HTTPError, OSError, ValueError, AttributeError) as error:
            # The last two are what reading from a response that another thread shut down can raise.
            raise LinkError(f"{self._host}: {reason(error)}") from error

    def cut(self) -> None:
        """End the stream from another thread, so that whoever reads it comes back."""
        from urllib3.exceptions import HTTPError

        with suppress(HTTPError, OSError, ValueError):  # it may have ended by itself
            self._response.shutdown()

    def close(self) -> None:
        """Give up the connection."""
        self._response.close()


class Transport:
    """Reads from one API server.

    Attributes:
        login: how the cluster is reached now.
    """

    def __init__(self, log_in: Callable[[], Login], pace: Pace) -> None:
        """Log in; nothing is sent yet.

        Args:
            log_in: loads the kubeconfig; called again when the server no longer accepts the credentials.
            pace: the clock.

        Raises:
            ConfigError: the kubeconfig cannot be used.
        """
        self._log_in = log_in
        self._pace = pace
        self._lock = threading.Lock()
        self._header: tuple[float, dict[str, str]] | None = None
        self._loaded = pace.ticks()
        self.login = log_in()
        self._pool = _pool(self.login)
        self._generation = 0

    @property
    def host(self) -> str:
        """Host and port of the API server."""
        return urlsplit(str(self.login.configuration.host)).netloc

    def get(self, path: str, query: Query | None = None, accept: str = JSON, timeout: float = READ_TIMEOUT) -> bytes:
        """Return the body of a GET, read whole.

        Args:
            path: path on the API server, segments quoted (see ``segment``).
            query: parameters.
            accept: media type of the answer.
            timeout: seconds without any byte after which it is given up.

        Raises:
            ApiError: the server answered with an error.
            LinkError: it could not be reached.
        """
        response = self._ask("GET", path, query, {"Accept": accept, "Accept-Encoding": "gzip"}, timeout)
        return self._whole(response)

    def watch(self, path: str, query: Query, idle: float) -> Stream:
        """Return the open answer of a GET that follows a collection.

        Args:
            path: path of the collection.
            query: parameters, ``watch`` among them.
            idle: seconds without any byte after which the stream counts as broken.

        Raises:
            ApiError, LinkError: as for ``get``.
        """
        return Stream(self._ask("GET", path, query, {"Accept": JSON, "Accept-Encoding": "identity"}, idle), self.host)

    def review_access(self, body: bytes) -> bytes:
        """Return the answer to a SelfSubjectAccessReview: may this user do that? It is the one POST there is.

        Raises:
            ApiError, LinkError: as for ``get``.
        """
        headers = {"Accept": JSON, "Content-Type": JSON, "Accept-Encoding": "identity"}
        return self._whole(self._ask("POST", ACCESS_REVIEW, None, headers, READ_TIMEOUT, body))

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.clear()

    def _ask(
        self,
        verb: str,
        path: str,
        query: Query | None,
        headers: Mapping[str, str],
        timeout: float,
        body: bytes | None = None,
    ) -> Any:
        """Send, once more with new credentials after a 401, and turn errors into exceptions."""
        generation = self._generation
        response = self._send(verb, path, query, headers, timeout, body)
        if response.status == HTTPStatus.UNAUTHORIZED and self._reload(generation):
            response.drain_conn()
            response = self._send(verb, path, query, headers, timeout, body)
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._error(response)
        if response.status != HTTPStatus.OK and verb == "GET":
            response.close()
            raise ApiError(response.status, "not an answer of an API server")
        return response

    def _send(
        self,
        verb: str,
        path: str,
        query: Query | None,
        headers: Mapping[str, str],
        timeout: float,
        body: bytes | None = None,
    ) -> Any:
        if verb != "GET" and (verb, path) != ("POST", ACCESS_REVIEW):
            raise VerbRefusedError(f"{verb} {path} was not sent: this program only reads")
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        url = str(self.login.configuration.host) + path + (f"?{urlencode(query)}" if query else "")
        try:
            return self._pool.request(
                verb,
                url,
                headers={**AGENT, **headers, **self._credentials()},
                body=body,
                timeout=Timeout(connect=CONNECT_TIMEOUT, read=timeout),
                preload_content=False,
                retries=False,
                redirect=False,
            )
        except (HTTPError, OSError) as error:
            raise LinkError(f"{self.host}: {reason(error)}") from error

    def _credentials(self) -> dict[str, str]:
        """Return the Authorization header; the client's hook renews an expired token (exec plugin, token file)."""
        with self._lock:
            now = self._pace.ticks()
            if self._header is None or now - self._header[0] > _HEADER_LIFE:
                with heard():
                    settings = self.login.configuration.auth_settings()
                bearer = settings.get("BearerToken")
                self._header = (now, {"Authorization": bearer["value"]} if bearer and bearer["value"] else {})
            return self._header[1]

    def _reload(self, generation: int) -> bool:
        """Log in again unless another thread just did; return whether it is worth another try."""
        with self._lock:
            if generation != self._generation:
                return True
            if self._generation and self._pace.ticks() - self._loaded < _RELOAD_PERIOD:
                return False
            self._loaded = self._pace.ticks()
            self.login = self._log_in()
            # The old pool is not closed: requests of other threads are under way in it. Its connections go with it.
            self._pool = _pool(self.login)
            self._header = None
            self._generation += 1
            return True

    def _whole(self, response: Any) -> bytes:
        from urllib3.exceptions import HTTPError

        try:
            body: bytes = response.read(decode_content=False)
            # zlib alone is a quarter faster than urllib3's decoder, and does not hold the interpreter lock.
            packed = response.headers.get("Content-Encoding") == "gzip"
            return zlib.decompress(body, _GZIP_WINDOW) if packed else body
        except (HTTPError, OSError) as error:
            raise LinkError(f"{self.host}: {reason(error)}") from error
        except zlib.error as error:
            raise LinkError(f"{self.host}: the compressed answer is cut short") from error
        finally:
            response.release_conn()

    def _error(self, response: Any) -> ApiError:
        try:
            body = self._whole(response)[:_ERROR_BODY]
        except LinkError:
            body = b""
        return api_error(response.status, body, response.headers.get("Retry-After", ""))


def segment(text: str) -> str:
    """Return text as one segment of a path."""
    return quote(text, safe="")


def reason(error: BaseException) -> str:
    """Return why a connection failed, in the words of the deepest cause, on one line."""
    from urllib3.exceptions import NameResolutionError, NewConnectionError, ProtocolError
    from urllib3.exceptions import TimeoutError as HttpTimeoutError

    if isinstance(error, NameResolutionError):
        return "its name does not resolve"
    # A refused connection counts as a timeout of connecting in urllib3's hierarchy.
    if isinstance(error, HttpTimeoutError | TimeoutError) and not isinstance(error, NewConnectionError):
        return "no answer in time"
    if isinstance(error, ProtocolError) and not isinstance(error.__cause__ or error.__context__, OSError):
        return "the connection broke"
    deepest = error
    while (inner := deepest.__cause__ or deepest.__context__) is not None:
        deepest = inner
    said = (deepest.strerror if isinstance(deepest, OSError) else None) or str(deepest) or type(deepest).__name__
    return plain(said, 200)


def _pool(login: Login) -> Any:
    """Return the urllib3 pool that the official client makes from its configuration."""
    from kubernetes.client import ApiClient

    configuration = login.configuration
    configuration.keep_alive = True
    configuration.connection_pool_maxsize = _CONNECTIONS
    if not configuration.verify_ssl:
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return ApiClient(configuration).rest_client.pool_manager
