"""Routes of two kinds for one host: the index says what looking at every pair would say."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.model.kubernetes.gateway import Gateway, GRPCRoute, HTTPRoute, Listener
from aksnav.trace.gateway.attachment import Attachment
from aksnav.trace.gateway.rivals import Accepted
from aksnav.trace.routing.hostnames import intersect

LISTENERS = ("one", "two")
NAMES = ("", "com", "a.com", "b.com", "x.a.com", "y.x.a.com", "*.com", "*.a.com", "*.x.a.com", "*.b.com")
GATEWAY = Gateway(name="web", namespace="infra")


def _naive(accepted: list[Attachment], item: Attachment) -> Attachment | None:
    for other in accepted:
        shares = any(intersect(one, two) is not None for one in item.hostnames for two in other.hostnames)
        if other.listener.name == item.listener.name and other.route.KIND != item.route.KIND and shares:
            return other
    return None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from(["one", "two"]), st.sets(st.sampled_from(NAMES), min_size=1, max_size=3)
        ),
        max_size=12,
    )
)
def test_the_index_agrees_with_looking_at_every_pair(drawn: list[tuple[bool, str, set[str]]]) -> None:
    """Whatever routes come in whatever order, the same one is refused for the same older one."""
    index = Accepted()
    accepted: list[Attachment] = []
    for number, (grpc, listener, names) in enumerate(drawn):
        made = GRPCRoute if grpc else HTTPRoute
        item = Attachment(
            gateway=GATEWAY,
            listener=Listener(name=listener, port=80, protocol="HTTP"),
            route=made(name=f"r{number}", namespace="shop"),
            hostnames=tuple(sorted(names)),
            originals=tuple(sorted(names)),
        )
        wanted = _naive(accepted, item)
        assert index.take(item) is wanted
        if wanted is None:
            accepted.append(item)
