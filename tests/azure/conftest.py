"""What the Azure tests share: a Resource Manager on loopback with the demo's objects, and a source that reads it."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aksnav.model.change import Change
from aksnav.model.kinds import AZURE_KINDS
from aksnav.sources.azure.source import AzureSource
from aksnav.sources.azure.transport import Arm, Connection
from aksnav.sources.demo import wire
from aksnav.sources.options import Options
from aksnav.store import Store
from tests.azure.arm_server import ArmServer, Content, make_certificate

START = 1_750_000_000.0


class Token:
    """A credential that counts how often it is asked."""

    def __init__(self, lives: float = 86_400.0, clock: Callable[[], float] | None = None) -> None:
        self.asked = 0
        self._lives = lives
        self._clock = clock

    def get_token(self, *_scopes: str, **_kwargs: Any) -> Any:
        """Return a token that is good for the given number of seconds."""
        import time

        from azure.core.credentials import AccessToken

        self.asked += 1
        now = time.time() if self._clock is None else self._clock()
        return AccessToken(f"token-{self.asked}", int(now + self._lives))


class HandPace:
    """A clock that moves only when somebody rests; every rest is written down."""

    def __init__(self, rests: int = 1000) -> None:
        self.time = START
        self.rests: list[float] = []
        self.left = rests
        self.at_rest: Callable[[], None] = lambda: None

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time

    def ticks(self) -> float:
        """Seconds of a clock that never goes back."""
        return self.time

    def rest(self, seconds: float) -> bool:
        """Move the clock."""
        self.rests.append(seconds)
        self.time += seconds
        self.at_rest()
        return False

    def hurry(self) -> None:
        """Nobody rests here for long."""

    def chance(self) -> float:
        """Return the middle."""
        return 0.5


class Bench:
    """A source against the server, and the store that it fills."""

    def __init__(self, server: ArmServer, ca: Path, cluster: str = "") -> None:
        self.server = server
        self.pace = HandPace()
        self.token = Token()
        self.changes: list[Change] = []
        self.store = Store()
        self._ca = ca
        self._cluster = cluster
        self.source = self.made()

    def made(self, *, once: bool = False, cluster: str | None = None, credential: Any = None) -> AzureSource:
        """Make a source; the one before is closed."""
        if hasattr(self, "source"):
            self.source.stop()
        self.source = AzureSource(
            self.take,
            Options(cluster=self._cluster if cluster is None else cluster, kubeconfig="/nonexistent"),
            once=once,
            pace=self.pace,
            arm=Arm(self.connection(credential)),
        )
        return self.source

    def connection(self, credential: Any = None) -> Connection:
        """Return how the server is reached."""
        settings = {"connection_verify": str(self._ca), "use_env_settings": False}
        return Connection(credential or self.token, self.server.url, settings)

    def take(self, change: Change) -> None:
        """Take a change in."""
        self.changes.append(change)
        self.store.apply(change)

    def read(self) -> None:
        """Read everything once."""
        self.source.read_once()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("arm"))


@pytest.fixture
def objects() -> dict[str, list[dict[str, Any]]]:
    """The Azure objects of the built-in cluster, in wire form."""
    healthy = json.loads(_healthy())
    return {kind.name: healthy[kind.name] for kind in AZURE_KINDS}


@cache
def _healthy() -> str:
    return json.dumps(dict(wire("healthy")))


@pytest.fixture
def server(objects: dict[str, list[dict[str, Any]]], certificate: tuple[Path, Path]) -> Iterator[ArmServer]:
    """A Resource Manager that holds the built-in cluster."""
    made = ArmServer(Content(objects), certificate)
    yield made
    made.close()


@pytest.fixture
def bench(server: ArmServer, certificate: tuple[Path, Path]) -> Iterator[Bench]:
    """A source that has been told where the nodes are, and its store."""
    made = Bench(server, certificate[0])
    made.source.hints(provider_ids(), host())
    yield made
    made.source.stop()


def provider_ids() -> list[str]:
    """The provider ids of the built-in cluster's nodes."""
    return [str(node["spec"]["providerID"]) for node in json.loads(_healthy())["Node"]]


def host() -> str:
    """The host name of the built-in cluster's API server, with its port."""
    return str(json.loads(_healthy())["managedClusters"][0]["properties"]["fqdn"]) + ":443"
