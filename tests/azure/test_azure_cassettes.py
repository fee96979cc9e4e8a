"""Recorded Resource Manager traffic (kubernetes-sigs/cloud-provider-azure), replayed to the real clients."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.sources.azure.errors import ArmError, Where
from aksnav.sources.azure.lists import OPERATIONS
from aksnav.sources.azure.transport import Arm, Connection
from tests.azure.arm_server import Answer, ArmServer, Asked, Content
from tests.azure.conftest import Token

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "arm"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
RECORDED = {
    "networkInterfaces": "interfaceclient",
    "loadBalancers": "loadbalancerclient",
    "managedClusters": "managedclusterclient",
    "natGateways": "natgatewayclient",
    "publicIPAddresses": "publicipaddressclient",
    "routeTables": "routetableclient",
    "networkSecurityGroups": "securitygroupclient",
    "virtualNetworks": "virtualnetworkclient",
}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded cassettes are not beside the repository")


class Cassette:
    """The recorded GETs of one file; the first answer to a URL is the one that is replayed."""

    def __init__(self, path: Path) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}
        for item in yaml.safe_load(path.read_bytes())["interactions"]:
            if item["request"]["method"] != "GET":
                continue
            url = urlsplit(item["request"]["url"])
            skip = {key.lower(): values[0] for key, values in parse_qs(url.query).items()}.get("$skiptoken", "")
            body = item["response"]["body"].replace('"https://management.azure.com/', '"BASE/').encode()
            self.answers.setdefault((url.path.lower(), skip), Answer(item["response"]["code"], body))

    def __call__(self, asked: Asked) -> Answer | None:
        """Return what was recorded for a request."""
        query = {key.lower(): value for key, value in asked.query.items()}
        return self.answers.get((asked.path, query.get("$skiptoken", "")))


@pytest.fixture(params=sorted(RECORDED))
def replayed(
    request: pytest.FixtureRequest, certificate: tuple[Path, Path]
) -> Iterator[tuple[str, Cassette, Any, Arm]]:
    """A kind, its cassette, and the operations of the real client against a server that replays it."""
    kind: str = request.param
    cassette = Cassette(FOLDER / f"{RECORDED[kind]}.yaml")
    server = ArmServer(Content({}), certificate)
    server.rules.append(cassette)
    settings = {"connection_verify": str(certificate[0]), "use_env_settings": False}
    arm = Arm(Connection(Token(), server.url, settings))
    client = arm.containers(SUBSCRIPTION) if kind == "managedClusters" else arm.network(SUBSCRIPTION)
    yield kind, cassette, getattr(client, OPERATIONS.get(kind, "managed_clusters")), arm
    arm.close()
    server.close()


def listed(kind: str, operations: Any, arm: Arm, group: str) -> list[dict[str, Any]]:
    """List a kind in a resource group."""
    ask = operations.list_by_resource_group if kind == "managedClusters" else operations.list
    return arm.many(Where("read", group), lambda: ask(group))


def group_of(cassette: Cassette, kind: str) -> str:
    """Return the resource group of the recording, which cassettes spell in their own way."""
    found = next(path for path, _ in cassette.answers if path.endswith(f"/{kind.lower()}") and "notfound" not in path)
    return found.split("/")[4]


def test_a_recorded_list_is_read_whole_and_decodes(replayed: tuple[str, Cassette, Any, Arm]) -> None:
    """Every object of every recorded page becomes an object with the recorded id."""
    kind, cassette, operations, arm = replayed
    wires = listed(kind, operations, arm, group_of(cassette, kind))
    assert wires
    marker = f"/providers/{KINDS[kind].group}/{kind}/".lower()
    for wire in wires:
        made = decode_wire(KINDS[kind], wire)
        assert marker in made.id
        assert made.id == wire["id"].lower()


def test_a_recorded_refusal_is_not_found(replayed: tuple[str, Cassette, Any, Arm]) -> None:
    """The list of a resource group that does not exist is an error, and no empty list."""
    kind, cassette, operations, arm = replayed
    with pytest.raises(ArmError) as caught:
        listed(kind, operations, arm, group_of(cassette, kind) + "notfound")
    assert caught.value.missing
    assert "ResourceGroupNotFound" in str(caught.value)
