"""Ingress host and path matching, as others wrote it down: every row through ``aksnav.trace.trace``.

The table is kubernetes-sigs/ingress-controller-conformance; it is not part of this repository (data/README.md beside
the design says what it holds). Its manifests hold routes only: Services, endpoints, Pods and a controller are made
around them. A row's status of 200 is that of its backend: the request is delivered to a Pod of it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from aksnav.trace.step import Certainty, Outcome
from tests.oracles.around import APP_ROUTING, NGINX, UNKNOWN_CONTROLLER, around, ask

_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "ingress"
_TABLE = _DATA / "cases.jsonl"
_ROWS = [json.loads(line) for line in _TABLE.read_text().splitlines()] if _TABLE.exists() else []

CONTROLLERS = {"ingress-nginx": NGINX, "app-routing": APP_ROUTING, "specification": UNKNOWN_CONTROLLER}


def test_the_table_is_complete() -> None:
    """The table has its 47 rows, or it is not there, which is said."""
    if not _ROWS:
        pytest.skip(f"no table at {_TABLE}")
    assert len(_ROWS) == 47


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize("row", _ROWS, ids=[row["case"] for row in _ROWS])
def test_a_row_is_answered_as_it_says(row: dict[str, Any], controller: str) -> None:
    """The request is delivered to the row's backend, or answered with its status, under each controller's reading."""
    ingresses = [_inline(row["rules"])] if "rules" in row else _manifests(row["manifests"])
    request = row["request"]
    store = around(ingresses, CONTROLLERS[controller])
    url = f"{request['scheme']}://{request['host']}{request['path']}"
    found = ask(store, url, CONTROLLERS[controller], method=request["method"])
    expected = row["expected"]
    if expected["backend"] is None:
        assert (found.outcome, found.status) == (Outcome.RESPONDS, expected["status"])
        assert found.backends == ()
    else:
        assert expected["status"] == 200
        assert found.outcome is Outcome.DELIVERED
        assert [item.service for item in found.backends] == [_name(expected["backend"])]
        assert [place.pod for place in found.destinations] == [f"{_name(expected['backend'])}-1"]
    assert found.confidence.certainty is not Certainty.PARTIAL


def _manifests(names: list[str]) -> list[dict[str, Any]]:
    """The Ingresses of manifests; the table follows redirects, so that http is answered as https is."""
    documents = [item for name in names for item in yaml.safe_load_all((_DATA / name).read_text())]
    ingresses = [item for item in documents if item and item.get("kind") == "Ingress"]
    for item in ingresses:
        item["metadata"].setdefault("annotations", {})["nginx.ingress.kubernetes.io/ssl-redirect"] = "false"
    return ingresses


def _inline(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "metadata": {"name": "inline"},
        "spec": {
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
    }


def _name(backend: str) -> str:
    """Some rows name a backend by its path, which no Service can be called."""
    return "b" + backend.replace("/", "-").replace(":", ".") if backend[0] in "/e" else backend
