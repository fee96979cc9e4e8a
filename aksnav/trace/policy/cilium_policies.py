"""Cilium's own policies of a store, by namespace, with those that cannot be read."""

from collections.abc import Iterator

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.policy import CiliumNetworkPolicy
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.joins import unreadable
from aksnav.trace.policy import cilium
from aksnav.trace.policy.decision import PolicyWord


class CiliumPolicies:
    """Every CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy at one version of their tables.

    Attributes:
        any: there is one, or there may be.
        asks_requests: one judges HTTP requests, so that answers depend on the request.
    """

    def __init__(self, store: Store) -> None:
        self._of_namespace: dict[str, list[CiliumNetworkPolicy]] = {}
        for policy in sorted(store.cilium_policies, key=lambda item: item.id):
            self._of_namespace.setdefault(policy.namespace, []).append(policy)
        self._clusterwide = sorted(store.cilium_clusterwide_policies, key=lambda item: item.id)
        self._undecodable = [
            *((Ref("CiliumNetworkPolicy", ident), why) for ident, why in store.cilium_policies.undecodable.items()),
            *(
                (Ref("CiliumClusterwideNetworkPolicy", ident), why)
                for ident, why in store.cilium_clusterwide_policies.undecodable.items()
            ),
        ]
        self._unreadable = unreadable(store.cilium_policies) or unreadable(store.cilium_clusterwide_policies)
        listed = [*store.cilium_policies, *store.cilium_clusterwide_policies]
        self.any = bool(listed or self._undecodable or self._unreadable)
        self.asks_requests = any(cilium.asks_requests(policy) for policy in listed)
        self.api_server = api_server(store)

    def words(self, namespace: str, question: cilium.Question) -> Iterator[PolicyWord]:
        """Yield what each policy that may select a Pod of a namespace says."""
        for policy in (*self._of_namespace.get(namespace, ()), *self._clusterwide):
            yield from cilium.words(policy, question)
        for ref, reason in self._undecodable:
            if ref.namespace in {"", namespace}:
                yield cilium.undecidable(ref, "", f"the policy cannot be decoded: {reason}")
        if self._unreadable:
            yield cilium.undecidable(Ref("CiliumNetworkPolicy", f"{namespace}/*"), "", self._unreadable)


def api_server(store: Store) -> frozenset[int]:
    """Return the addresses of the API server, as Service default/kubernetes has them; none where no policy asks."""
    if not len(store.cilium_policies) and not len(store.cilium_clusterwide_policies):
        return frozenset()
    texts = [
        text
        for piece in store.slices_of("default/kubernetes")
        for endpoint in piece.endpoints
        for text in endpoint.addresses
    ]
    return frozenset(number for number in map(parse_address, texts) if number is not None)
