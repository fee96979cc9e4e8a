"""What is old, or not read at all, at places that once went on as if it were known."""

import pytest

from aksnav.model.change import Reading
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.step import Certainty, Outcome
from tests.unit.trace_walk.changed_demo import ChangedDemo

FROM_A_GATEWAY = "pod/infra/web-approuting-istio-7cbkxgk9rl-7j6zm"


@pytest.mark.parametrize(
    ("kind", "target", "source"),
    [
        ("Service", "svc/media/studio:1935", "pod/shop/cart-xw8qmthhl8-nwt2s"),
        ("Pod", "pod/shop/web-w5x22zmgls-t6cfl:8080", FROM_A_GATEWAY),
        ("Pod", "tcp://20.50.1.9:8883", "internet"),
        ("virtualNetworks", "tcp://20.50.1.9:8883", "internet"),
    ],
)
def test_a_row_of_a_stale_table_is_an_assumption(kind: str, target: str, source: str) -> None:
    """The step that names it says that it is as it was last read; the verdict is no longer proven."""
    demo = ChangedDemo()
    assert demo.ask(target, source).confidence.certainty is Certainty.PROVEN
    demo.lose(kind, Reading.STALE)
    found = demo.ask(target, source)
    assert found.outcome is Outcome.DELIVERED
    assert found.confidence.certainty is Certainty.ASSUMED
    assert any(line.startswith(f"{kind} are as they were last read") for line in found.confidence.because)


def test_behind_a_pool_of_unread_nodes_no_policy_is_asked_with_a_made_up_client() -> None:
    """Who sends to the Pods is not known: the policy, which admits the client, does not drop anybody."""
    demo = ChangedDemo()
    demo.lose("Node", Reading.DENIED)
    found = demo.ask("tcp://10.224.0.40:80", "10.100.0.62")
    assert found.outcome is Outcome.UNDECIDED
    assert not found.causes


def test_who_says_of_an_object_that_cannot_be_decoded_that_it_is_there() -> None:
    """It is not one that does not exist: what is not known of it is told by name."""
    demo = ChangedDemo()
    demo.spoil("Pod", "shop/web-w5x22zmgls-t6cfl")
    found = parse_subject(demo.store(), "pod/shop/web-w5x22zmgls-t6cfl")
    assert found.missing == ("Pod shop/web-w5x22zmgls-t6cfl cannot be decoded: spec: not a map",)
