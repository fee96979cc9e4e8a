"""How sure the main roads are to an operator who may read everything but Secrets: what is left is what nobody can read.

The Kubernetes API server and the Resource Manager of these tests hold the built-in cluster without a fault, and the
sources read both as a command does. A line that joins these lists must name what is not read; one that leaves them was
noise.
"""

import json
from pathlib import Path

import pytest

from aksnav.model.change import AdminRulesTold
from aksnav.model.kinds import KUBERNETES_KINDS
from aksnav.sources.azure import source
from aksnav.sources.azure.transport import Arm
from aksnav.sources.demo import wire
from aksnav.sources.feed import load_once
from aksnav.sources.options import Options
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Certainty, Confidence, Outcome, Trace
from tests.azure.conftest import Bench
from tests.unit.api_server import ApiServer, forbidden


def admin(name: str) -> str:
    """Return what is assumed of the admin rules of one of the built-in networks (``prod``, ``hub``)."""
    return (
        f"no security admin rule of Azure Virtual Network Manager decides in vnet-contoso-{name}: they are not read; "
        f"--confirm, or C on the trace, asks Azure (az network manager list-effective-security-admin-rule "
        f"-g rg-contoso-{name} --subscription 8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10 "
        f"--virtual-network-name vnet-contoso-{name})"
    )


ADMIN, HUB = admin("prod"), admin("hub")
INTERFACE = (
    "no security group of the interface of 10.100.1.7 denies: it is on no network interface that is read "
    "(az network nic list)"
)
SECRET = (
    "Secret shop/shop-tls exists and holds a certificate for shop.contoso.com: it is not read (get secrets in "
    "namespace shop); kubectl -n shop get secrets shop-tls -o jsonpath='{.type}'"
)
BEYOND = "az.publicip: what answers at 20.60.70.80:443: it is outside of this cluster"
WEB = "pod/shop/WEB"
NOW = 1_790_000_000.0


def dns(host: str, address: str, claimant: str) -> str:
    """Return what is assumed of a name that an object of the cluster claims."""
    return f"DNS of {host} points to {address}, because {claimant} says so: no resolver was asked (nslookup {host})"


@pytest.fixture
def store(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """A store that a reader's session has filled from both servers."""
    monkeypatch.setattr(source, "Arm", lambda: Arm(bench.connection()))
    objects = json.loads(json.dumps(dict(wire("healthy"))))
    made = Store()
    with ApiServer(tmp_path) as api:
        for kind in KUBERNETES_KINDS:
            base = f"/apis/{kind.group}/v1" if kind.group else "/api/v1"
            if kind.name == "ConfigMap":
                for item in objects.get(kind.name, []):
                    named = item["metadata"]
                    api.objects[f"{base}/namespaces/{named['namespace']}/configmaps/{named['name']}"] = [item]
            elif kind.name == "Secret":
                for item in objects["Ingress"]:
                    for entry in item["spec"].get("tls", ()):
                        path = f"{base}/namespaces/{item['metadata']['namespace']}/secrets/{entry['secretName']}"
                        api.always[path] = forbidden("reader", "secrets")
            elif objects.get(kind.name):
                api.groups[kind.group] = (*api.groups.get(kind.group, ()), kind.plural)
                api.objects[f"{base}/{kind.plural}"] = objects[kind.name]
        for change in load_once(Options(kubeconfig=api.kubeconfig())):
            made.apply(change)
    return made


def asked(store: Store, to: str, source: str) -> Trace:
    """Return a trace; WEB is the name of a Pod of shop/web, API the address of one of shop/api on another node."""
    listed = sorted(store.pods, key=lambda pod: pod.id)
    web = next(pod for pod in listed if pod.id.startswith("shop/web-"))
    api = next(pod for pod in listed if pod.id.startswith("shop/api-") and pod.node != web.node)
    return trace(store, parse_request(to.replace("API", api.ip), source=source.replace("WEB", web.name)))


SHOP = dns("shop.contoso.com", "20.50.1.7", "Ingress shop/shop")
PAY = dns("pay.apps.contoso.com", "20.50.1.8", "HTTPRoute payments/pay")
ROADS = {
    "a public load balancer": ("tcp://20.50.1.9:8883", "internet", (ADMIN,)),
    "an Ingress of application routing": ("https://shop.contoso.com/api", "internet", (SHOP, ADMIN, SECRET)),
    "a Gateway": ("http://pay.apps.contoso.com/", "internet", (PAY, ADMIN)),
    "an internal load balancer": ("tcp://10.224.0.40:80", "10.100.1.7", (HUB, INTERFACE, ADMIN)),
    "a Pod to a Service": ("http://api.shop.svc.cluster.local/", WEB, (ADMIN,)),
    "a Pod to a Pod of another node": ("tcp://API:8080", WEB, (ADMIN,)),
    "a Pod to a way into its own cluster": ("https://shop.contoso.com/api", WEB, (ADMIN, SHOP, SECRET)),
}


@pytest.mark.parametrize("road", ROADS)
def test_what_a_road_hangs_on_is_what_a_reader_cannot_read(store: Store, road: str) -> None:
    """Admin rules until they are asked for, names of zones elsewhere, Secrets: in the order of the road, no more."""
    to, start, left = ROADS[road]
    found = asked(store, to, start)
    assert found.outcome is Outcome.DELIVERED
    assert found.confidence.because == left

    for network in list(store.virtual_networks):
        store.apply(AdminRulesTold(id=network.id, rules=(), at=NOW, old=False))
    found = asked(store, to, start)
    assert found.outcome is Outcome.DELIVERED
    assert found.confidence.because == tuple(line for line in left if line not in {ADMIN, HUB})


def test_what_answers_outside_is_all_that_is_not_known_of_a_way_out(store: Store) -> None:
    """The road of a Pod to the internet is read up to the address that it has there."""
    found = asked(store, "tcp://20.60.70.80:443", WEB)
    assert found.confidence == Confidence(Certainty.PARTIAL, (BEYOND,))


def test_a_policy_that_drops_is_proven_although_admin_rules_are_not_read(store: Store) -> None:
    """Whatever they do to the packet before, the client hears nothing."""
    found = asked(store, "tcp://10.224.0.40:80", "10.224.1.10")
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("P01",))
    assert found.confidence == Confidence(Certainty.PROVEN)
