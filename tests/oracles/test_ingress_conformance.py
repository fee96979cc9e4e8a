"""Ingress host and path matching, as others wrote it down: every row through a whole store and the router.

The table is kubernetes-sigs/ingress-controller-conformance; it is not part of this repository (data/README.md beside
the design says what it holds). Expected backends are those that a client reaches that follows redirects.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from aksnav.model.change import ListEnded, ListStarted, Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.routing import controllers
from aksnav.trace.routing import router as routing
from aksnav.trace.step import Verdict

_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "ingress"
_TABLE = _DATA / "cases.jsonl"
_ROWS = [json.loads(line) for line in _TABLE.read_text().splitlines()] if _TABLE.exists() else []

CONTROLLERS = {
    "ingress-nginx": ("k8s.io/ingress-nginx", {"app.kubernetes.io/name": "ingress-nginx"}),
    "specification": ("example.com/ingress", {"app": "front"}),
}


def test_the_table_is_complete() -> None:
    """The table has its 47 rows, or it is not there, which is said."""
    if not _ROWS:
        pytest.skip(f"no table at {_TABLE}")
    assert len(_ROWS) == 47


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize("row", _ROWS, ids=[row["case"] for row in _ROWS])
def test_a_row_reaches_the_backend_that_it_names(row: dict[str, Any], controller: str) -> None:
    """The request goes to the row's backend, or is answered with the row's status, under both readings."""
    store = _store(row, *CONTROLLERS[controller])
    request = row["request"]
    secure = request["scheme"] == "https"
    packet = Packet(
        scheme=request["scheme"],
        host=request["host"],
        path=request["path"],
        method=request["method"],
        port=443 if secure else 80,
        sni=request["host"] if secure else "",
        tls=secure,
    )
    found = controllers.of_pods(store, [], store.services.get("front/front"))
    assert len(found) == 1
    answer = routing.route(store, found[0], packet)
    backend = row["expected"]["backend"]
    if backend is None:
        assert answer.ended
        assert answer.steps[-1].verdict is Verdict.RESPOND
        assert answer.steps[-1].status == row["expected"]["status"]
        assert answer.targets == ()
    else:
        assert [(item.service, item.ended) for item in answer.targets] == [(_name(backend), False)]


def _store(row: dict[str, Any], controller: str, labels: dict[str, str]) -> Store:
    ingresses = [_inline(row["rules"])] if "rules" in row else _manifests(row["manifests"])
    wire: dict[str, list[dict[str, Any]]] = {
        "IngressClass": [{"metadata": {"name": "front"}, "spec": {"controller": controller}}],
        "Ingress": ingresses,
        "Service": [_front(labels), *(_service(name, port) for name, port in sorted(_backends(ingresses)))],
    }
    store = Store()
    for kind in ("IngressClass", "Ingress", "Service", "Pod", "Secret", "Namespace", "EndpointSlice"):
        store.apply(ListStarted(kind))
        store.apply(Upserted(kind, [decode_wire(KINDS[kind], item) for item in wire.get(kind, [])]))
        store.apply(ListEnded(kind))
    return store


def _manifests(names: list[str]) -> list[dict[str, Any]]:
    documents = [item for name in names for item in yaml.safe_load_all((_DATA / name).read_text())]
    ingresses = [item for item in documents if item and item.get("kind") == "Ingress"]
    for item in ingresses:
        item["metadata"]["namespace"] = "shop"
        item["spec"].setdefault("ingressClassName", "front")
        item["metadata"].setdefault("annotations", {})["nginx.ingress.kubernetes.io/ssl-redirect"] = "false"
        item["status"] = {"loadBalancer": {"ingress": [{"ip": "20.50.1.7"}]}}
    return ingresses


def _inline(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "metadata": {"name": "inline", "namespace": "shop"},
        "spec": {
            "ingressClassName": "front",
            "rules": [
                {
                    **({"host": rule["host"]} if "host" in rule else {}),
                    "http": {
                        "paths": [
                            {
                                "path": rule["path"],
                                "pathType": rule["pathType"],
                                "backend": {"service": {"name": _name(rule["backend"]), "port": {"number": 8080}}},
                            }
                        ]
                    },
                }
                for rule in rules
            ],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "20.50.1.7"}]}},
    }


def _name(backend: str) -> str:
    """Some rows name a backend by its path, which no Service can be called."""
    return backend.replace("/", "-").replace(":", ".")


def _backends(ingresses: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Every Service that a rule names, with the name of its port where the rule names it so."""
    services = [
        path["backend"]["service"]
        for item in ingresses
        for rule in item["spec"].get("rules", [])
        for path in rule["http"]["paths"]
    ]
    return {(service["name"], service["port"].get("name", "")) for service in services}


def _service(name: str, port: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"type": "ClusterIP", "selector": {"app": name}, "ports": [{"port": 8080, "name": port}]},
    }


def _front(labels: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": "front", "namespace": "front", "labels": labels},
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.0.0.9",
            "selector": {"app": "front"},
            "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "20.50.1.7"}]}},
    }
