"""Who holds an address, what contains it, and who held it before as far as anything says."""

from typing import Any

import pytest

from aksnav.model.change import Reading, ReadingChanged, Removed, Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.store import Store
from aksnav.trace.addressing.find import MOST, Answer, holders_of, parse_asked, who_holds
from aksnav.trace.addressing.past import Past
from aksnav.trace.addressing.subnets import subnet_uses
from aksnav.trace.addressing.words import Sort
from aksnav.trace.request import BadRequest
from tests.unit.addressing.cluster import (
    GROUP,
    NODES,
    Json,
    loaded,
    managed,
    network,
    node,
    pod,
    pool,
    put,
    store_of,
    subnet,
)

GATEWAY = f"{GROUP}/Microsoft.Network/applicationGateways/agw"
ENDPOINT = f"{GROUP}/Microsoft.Network/privateEndpoints/pe-sql"
LINK = f"{GROUP}/Microsoft.Network/privateLinkServices/pls"
FRONT = {"privateIPAddress": "10.1.0.21", "subnet": {"id": NODES}}


def ask(store: Store, text: str) -> Answer:
    return who_holds(store, parse_asked(text))


def told(store: Store, text: str) -> list[tuple[Sort, str]]:
    return [(holder.sort, holder.name) for holder in ask(store, text).holders]


@pytest.fixture(scope="module")
def healthy() -> Store:
    return loaded("healthy")


@pytest.mark.parametrize(
    ("address", "sort", "name", "inside"),
    [
        ("10.224.0.6", Sort.NODE, "aks-apps-27513406-vmss000000", "subnet snet-nodes of vnet-contoso-prod"),
        ("10.224.0.40", Sort.FRONTEND, "kubernetes-internal/", "subnet snet-nodes of vnet-contoso-prod"),
        ("10.244.2.13", Sort.POD, "shop/api-", "Pod range of node aks-apps-27513406-vmss000000"),
        ("10.0.0.10", Sort.SERVICE, "kube-system/kube-dns", "service CIDR of the cluster"),
        ("10.0.0.1", Sort.SERVICE, "default/kubernetes", "service CIDR of the cluster"),
        ("10.100.0.4", Sort.FIREWALL, "next hop of route to-onprem", "subnet AzureFirewallSubnet of vnet-contoso-hub"),
        ("10.224.0.1", Sort.AZURE, "default gateway of subnet snet-nodes", "subnet snet-nodes of vnet-contoso-prod"),
        ("10.224.0.63", Sort.AZURE, "broadcast address of subnet snet-nodes", "subnet snet-nodes of vnet-contoso-prod"),
    ],
)
def test_an_address_finds_its_holder_and_what_contains_it(
    healthy: Store, address: str, sort: Sort, name: str, inside: str
) -> None:
    """Nodes, frontends, Pods, Services, what routes point to, and what Azure keeps."""
    answer = ask(healthy, address)
    assert (answer.holders[0].sort, answer.holders[0].name[: len(name)]) == (sort, name)
    assert answer.inside[0].what == inside
    sizes = [item.prefix.size for item in answer.inside if not item.part]
    assert sizes == sorted(sizes)


def test_a_public_address_names_its_resource_its_frontend_and_its_service(healthy: Store) -> None:
    """It lies in no range that is known."""
    answer = ask(healthy, "20.50.1.7")
    assert [holder.sort for holder in answer.holders] == [Sort.SERVICE, Sort.PUBLIC]
    assert "frontend kubernetes/" in answer.holders[1].note
    assert answer.inside == ()


def test_pods_in_the_host_network_share_the_address_of_their_node(healthy: Store) -> None:
    """They are counted beside the node, not told as holders of their own."""
    (holder,) = ask(healthy, "10.224.0.6").holders
    assert holder.note == "3 Pods in the host network share it"


@pytest.mark.parametrize(
    ("address", "what"),
    [("168.63.129.16", "health probes"), ("169.254.169.254", "Metadata"), ("169.254.10.11", "LocalDNS")],
)
def test_addresses_of_the_platform_are_named(healthy: Store, address: str, what: str) -> None:
    """They are the same in every network."""
    (holder,) = ask(healthy, address).holders
    assert what in holder.name


def test_a_range_finds_everybody_in_it(healthy: Store) -> None:
    """By address, with what contains the range and what lies in it."""
    answer = ask(healthy, "10.224.0.4/30")
    assert [holder.name for holder in answer.holders] == [
        node.name for node in healthy.nodes if node.internal_ips[0] in {f"10.224.0.{last}" for last in range(4, 8)}
    ]
    wide = ask(healthy, "10.0.0.0/8")
    assert {item.what for item in wide.inside if item.part} >= {
        "Pod CIDR of the cluster",
        "service CIDR of the cluster",
    }


def test_a_range_of_very_many_names_some_and_counts_the_rest() -> None:
    """Nobody reads ten thousand lines."""
    pods = [pod(f"p{number}", f"10.244.{number // 256}.{number % 256}", "n0") for number in range(MOST + 7)]
    answer = ask(store_of({"Pod": pods}), "10.244.0.0/16")
    assert (len(answer.holders), answer.more) == (MOST, 7)


@pytest.mark.parametrize("text", ["", "10.1.2", "10.1.2.3/33", "shop", "10.1.2.300", "fd00::/129"])
def test_what_is_no_address_is_refused_in_one_line(text: str) -> None:
    """With examples."""
    with pytest.raises(BadRequest, match=r"not an address and not a CIDR; examples: 10\.1\.2\.3"):
        parse_asked(text)


def edges() -> dict[str, list[Json]]:
    listed = [
        f"{GATEWAY}/gatewayIPConfigurations/ip",
        f"{GATEWAY}/frontendIPConfigurations/front",
        f"{GROUP}/Microsoft.Network/bastionHosts/bas/bastionHostIpConfigurations/ip",
    ]
    front = {"id": listed[1], "name": "front", **FRONT}
    return {
        "managedClusters": [managed([pool()])],
        "virtualNetworks": [
            network(
                [subnet(NODES, "10.1.0.0/24", listed)],
                ["10.1.0.0/16"],
                {NODES: 9},
                dhcpOptions={"dnsServers": ["10.1.0.53", "10.200.0.53"]},
            )
        ],
        "applicationGateways": [{"id": GATEWAY, "name": "agw", "frontendIPConfigurations": [front]}],
        "privateEndpoints": [
            {
                "id": ENDPOINT,
                "name": "pe-sql",
                "subnet": {"id": NODES},
                "customDnsConfigs": [{"fqdn": "sql.example", "ipAddresses": ["10.1.0.31"]}],
            }
        ],
        "privateLinkServices": [
            {
                "id": LINK,
                "name": "pls",
                "ipConfigurations": [
                    {"id": f"{LINK}/ipConfigurations/nat", "privateIPAddress": "10.1.0.41", "subnet": {"id": NODES}}
                ],
            }
        ],
    }


def test_what_stands_in_front_of_a_cluster_holds_addresses_too() -> None:
    """Application Gateway, private endpoint, private link service, DNS servers of the network, Bastion by its id."""
    store = store_of(edges())
    assert told(store, "10.1.0.21") == [(Sort.APPLICATION_GATEWAY, "agw")]
    assert told(store, "10.1.0.31") == [(Sort.PRIVATE_ENDPOINT, "pe-sql")]
    assert told(store, "10.1.0.41") == [(Sort.PRIVATE_LINK, "pls")]
    assert told(store, "10.1.0.53") == [(Sort.DNS, "DNS server of vnet")]
    assert told(store, "10.200.0.53") == [(Sort.DNS, "DNS server of vnet")]
    (use,) = subnet_uses(store)
    assert dict(use.by) == {
        Sort.PRIVATE_ENDPOINT: 1,
        Sort.PRIVATE_LINK: 1,
        Sort.APPLICATION_GATEWAY: 2,
        Sort.BASTION: 1,
        Sort.DNS: 1,
        Sort.UNREAD: 3,
    }
    assert [item.sort for item in holders_of(store, use) if item.address is None] == [
        Sort.APPLICATION_GATEWAY,
        Sort.BASTION,
    ]


def test_an_address_whose_holder_is_not_read_may_be_anybodys() -> None:
    """Azure counts more than is known, and lists holders without an address: it is not said to be free."""
    answer = ask(store_of(edges()), "10.1.0.99")
    assert answer.holders == ()
    assert any("3 used of the addresses of subnet nodes" in text for text in answer.maybe)
    assert any("Bastion bas" in text for text in answer.maybe)


def test_an_address_that_nobody_can_hold_is_free() -> None:
    """Everything was read, and all used addresses have a holder."""
    answer = ask(loaded("overlay"), "10.224.0.50")
    assert (answer.holders, answer.maybe, answer.missing, answer.before) == ((), (), (), ())


@pytest.mark.parametrize("kind", ["networkInterfaces", "Pod", "Service", "loadBalancers", "Node"])
def test_what_could_not_be_read_is_named(kind: str) -> None:
    """Somebody of it may hold the address."""
    store = loaded("overlay")
    store.apply(ReadingChanged(kind, Reading.DENIED, "", "refused by a test"))
    assert any("refused by a test" in text for text in ask(store, "10.224.0.50").missing)


def event(
    name: str, message: str, at: str, about: str = "shop/old", reason: str = "Unhealthy", kind: str = "Pod"
) -> Json:
    namespace, _, of = about.rpartition("/")
    return {
        "metadata": {"name": name, "namespace": namespace or "default"},
        "involvedObject": {"kind": kind, "namespace": namespace, "name": of},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
    }


def before(store: Store, text: str) -> list[Past]:
    return list(ask(store, text).before)


REFUSED = 'Readiness probe failed: Get "http://10.244.2.13:8080/healthz": dial tcp 10.244.2.13:8080: i/o timeout'


def test_an_event_tells_who_had_an_address_although_the_pod_is_gone() -> None:
    """A probe's message names the address; the Pod need not exist any more. The latest comes first."""
    events = [
        event("a", REFUSED, "2026-11-24T09:00:00Z"),
        event("b", REFUSED, "2026-11-24T10:00:00Z", "shop/older"),
        event("c", "Readiness probe failed: dial tcp 110.244.2.13:8080", "2026-11-24T11:00:00Z", "shop/other"),
        event("d", "Readiness probe failed: dial tcp 10.244.2.130:8080", "2026-11-24T11:00:00Z", "shop/other"),
        event("e", "dial tcp [fd00::2:13]:8080: i/o timeout", "2026-11-24T11:00:00Z", "shop/six"),
    ]
    store = store_of({"Event": events})
    found = before(store, "10.244.2.13")
    assert [(past.who.id, past.at, past.still) for past in found] == [
        ("shop/older", "2026-11-24T10:00:00Z", False),
        ("shop/old", "2026-11-24T09:00:00Z", False),
    ]
    assert all("Unhealthy" in past.how for past in found)
    assert [past.who.id for past in before(store, "fd00::2:13")] == ["shop/six"]


def test_an_event_of_the_holder_says_that_it_has_it_now() -> None:
    """It is no former holder."""
    store = store_of({"Event": [event("a", REFUSED, "2026-11-24T09:00:00Z")], "Pod": [pod("old", "10.244.2.13", "n0")]})
    (past,) = before(store, "10.244.2.13")
    assert past.still


def test_a_pod_that_has_ended_is_a_former_holder() -> None:
    """Its status keeps the address, which another Pod may have by now."""
    pods = [pod("job", "10.244.2.13", "n0", "Succeeded"), pod("web", "10.244.2.13", "n1")]
    store = store_of({"Pod": pods})
    assert told(store, "10.244.2.13") == [(Sort.POD, "shop/web")]
    (past,) = before(store, "10.244.2.0/24")
    assert (past.who.id, past.how) == ("shop/job", "Pod has ended (Succeeded)")


def renewed(store: Store, wire: Json) -> None:
    store.apply(Upserted("Pod", [decode_wire(KINDS["Pod"], wire)]))


def test_a_pod_that_goes_while_somebody_watches_is_remembered() -> None:
    """By this program alone: the API keeps nothing of it, so no time is made up."""
    store = store_of({"Pod": [pod("web", "10.244.2.13", "n0"), pod("sys", "10.1.0.4", "n0", hostNetwork=True)]})
    store.apply(Removed("Pod", ["shop/web", "shop/sys"]))
    renewed(store, pod("web-2", "10.244.2.13", "n1"))
    assert told(store, "10.244.2.13") == [(Sort.POD, "shop/web-2")]
    (past,) = before(store, "10.244.2.13")
    assert (past.who.id, past.at) == ("shop/web", "")
    assert past.how == "gone since this program watches on node n0"
    assert before(store, "10.1.0.4") == []


def test_a_pod_that_gets_another_address_has_left_the_one_before() -> None:
    """A new sandbox has a new address; a change of anything else is none."""
    store = store_of({"Pod": [pod("web", "10.244.2.13", "n0")]})
    renewed(store, pod("web", "10.244.2.13", "n0", "Pending"))
    assert before(store, "10.244.2.13") == []
    renewed(store, pod("web", "10.244.2.14", "n0"))
    assert [past.who.id for past in before(store, "10.244.2.13")] == ["shop/web"]
    assert before(store, "10.244.2.14") == []


def test_nodes_hold_their_addresses_where_interfaces_cannot_be_read() -> None:
    """By their own word, with the subnet that has the address."""
    objects: dict[str, list[Any]] = {
        "managedClusters": [managed([pool()])],
        "virtualNetworks": [network([subnet(NODES, "10.1.0.0/24")], ["10.1.0.0/16"], {NODES: 1})],
        "Node": [node("n0", "10.1.0.4")],
    }
    store = store_of(objects)
    put(store, "Pod", pod("web", "10.1.0.9", "n0"))
    assert told(store, "10.1.0.4") == [(Sort.NODE, "n0")]
    (use,) = subnet_uses(store)
    assert dict(use.by) == {Sort.NODE: 1, Sort.POD: 1}


def test_a_machine_that_is_no_known_node_is_told_by_its_scale_set() -> None:
    """Nodes cannot be read with leave for one namespace only; interfaces can."""
    (holder,) = ask(loaded("namespace-only"), "10.224.0.5").holders
    assert (holder.sort, holder.name) == (Sort.MACHINE, "aks-system-14203987-vmss instance 1")


@pytest.mark.parametrize(
    ("address", "sort", "inside"),
    [
        ("fd00:224::5", Sort.NODE, "subnet snet-nodes of vnet-contoso-prod"),
        ("fd12:3456:789a:0:0::a", Sort.POD, "Pod range of node aks-system-14203987-vmss000000"),
    ],
)
def test_addresses_of_the_second_family_have_holders_too(address: str, sort: Sort, inside: str) -> None:
    """Of nodes by their interfaces, of Pods by their status."""
    answer = ask(loaded("dual-stack"), address)
    assert [holder.sort for holder in answer.holders] == [sort]
    assert answer.inside[0].what == inside
