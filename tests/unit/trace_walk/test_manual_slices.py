"""EndpointSlices written by hand: an endpoint need not refer to a Pod (discovery/v1 Endpoint, targetRef)."""

from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.trace.step import Certainty, Outcome, Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo

Json = dict[str, Any]


def of_cart(world: ChangedDemo) -> list[Json]:
    """Return the endpoints of Service shop/cart."""
    listed = world.objects["EndpointSlice"].values()
    named = [row for row in listed if row["metadata"].get("labels", {}).get("kubernetes.io/service-name") == "cart"]
    return [endpoint for row in named for endpoint in row["endpoints"]]


def asked(world: ChangedDemo) -> Trace:
    """Return the trace of a Pod of the shop to the cart."""
    pod = next(key for key in world.objects["Pod"] if key.startswith("shop/web-"))
    return world.ask("svc/shop/cart:80", f"pod/{pod}")


def changed(**target: str) -> ChangedDemo:
    """Return the demo with another reference in the endpoints of the cart."""
    world = ChangedDemo()
    for endpoint in of_cart(world):
        endpoint.pop("targetRef")
        if target:
            endpoint["targetRef"] = target
    return world


@pytest.mark.parametrize(
    "target", [{}, {"kind": "Pod"}, {"kind": "Pod", "namespace": "shop"}, {"kind": "Pod", "name": ""}, {"name": "x"}]
)
def test_an_endpoint_without_a_reference_is_the_pod_that_has_its_address(target: dict[str, str]) -> None:
    """It is no stale endpoint; the Pod's own state, policies and port count."""
    world = changed(**target)
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.DELIVERED, ())
    assert found.destinations == asked(ChangedDemo()).destinations
    assert not list(sweep(world.store()))


def test_an_endpoint_that_names_a_pod_that_is_gone_is_stale() -> None:
    """S12, as before."""
    found = asked(changed(kind="Pod", namespace="shop", name="gone"))
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("S12",))


def test_a_pod_that_does_not_say_its_address_is_not_stale() -> None:
    """Its status is missing: blind. One that was made anew under the same name, and has no address yet, is (S12)."""
    world = ChangedDemo()
    for pod in world.pods("shop", "cart"):
        pod.pop("status")
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())
    assert ".status.podIPs of Pod shop/cart-" in str(found.confidence.because)
    for pod in world.pods("shop", "cart"):
        pod["metadata"]["uid"] = "another"
    assert asked(world).causes == ("S12",)


def test_an_address_of_the_pods_range_that_no_pod_has_is_of_nobody() -> None:
    """S06: nothing but a Pod has such an address, and who wrote the slice has not followed it."""
    world = changed()
    for endpoint in of_cart(world):
        endpoint["addresses"] = ["10.244.9.99"]
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("S06",))


def test_without_the_pods_nobody_says_that_an_address_of_theirs_is_stale() -> None:
    """Of the Pods' own range it is blind."""
    world = changed()
    for endpoint in of_cart(world):
        endpoint["addresses"] = ["10.244.9.99"]
    pod = next(key for key in world.objects["Pod"] if key.startswith("shop/cart-"))
    world.spoil("Pod", pod)
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())


def test_an_address_outside_of_the_cluster_is_taken_to_answer() -> None:
    """A database elsewhere: what answers there is not read, and the road says so."""
    world = changed()
    for endpoint in of_cart(world):
        endpoint["addresses"] = ["10.100.1.7"]
    found = asked(world)
    assert found.causes == ()
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    assert any("something answers at 10.100.1.7" in line for line in found.confidence.because)


def test_an_address_that_a_hidden_pod_may_have_is_said() -> None:
    """Outside of the Pods' range, where Pods cannot be read: it may be one of them, with policies of its own."""
    world = changed()
    for endpoint in of_cart(world):
        endpoint["addresses"] = ["10.100.1.7"]
    world.spoil("Pod", next(key for key in world.objects["Pod"] if key.startswith("shop/cart-")))
    assert any("no Pod and no node has the address 10.100.1.7: Pod shop/cart" in line
               for line in asked(world).confidence.because)  # fmt: skip
