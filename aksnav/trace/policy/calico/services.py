"""Services that Calico's rules name: their endpoints, as EndpointSlices list them.

Source: Calico reference, "Network policy", section "ServiceMatch"; at a destination the port of the endpoint is part of
the match, at a source it is not (felix, calc/rule_scanner.go).
"""

from aksnav.model.addresses import Prefix
from aksnav.trace.cluster.named_services import NamedEndpoints
from aksnav.trace.policy.rules import Target
from aksnav.trace.policy.who import Who
from aksnav.trace.ternary import Answer, Unknown


class Services:
    """The endpoints of the Services that rules name, or the reason why they cannot be told.

    Attributes:
        ports: every port of every endpoint.
        prefixes: every address of every endpoint.
    """

    def __init__(self, known: NamedEndpoints) -> None:
        self._missing = dict(known.missing)
        self._found: dict[str, dict[int, set[tuple[str, int]]]] = {}
        for ident, address, protocol, port in known.found:
            self._found.setdefault(ident, {}).setdefault(address, set()).add((protocol, port))
        self.ports = frozenset((protocol, port) for _, _, protocol, port in known.found if port)
        self.prefixes = [Prefix(address, address) for address in {item[1] for item in known.found}]

    def holds(self, ident: str, who: Who, target: Target | None) -> Answer:
        """Return whether a party is an endpoint of a Service, at a destination on that port."""
        if ident in self._missing:
            return Unknown(f"the endpoints of Service {ident}: {self._missing[ident]}")
        endpoints = self._found.get(ident, {})
        if who.address is None:
            return Unknown(f"the address of {who.label} is not known") if endpoints and who.in_cluster else False
        ports = endpoints.get(who.address)
        if ports is None:
            return False
        return target is None or (target.protocol, target.port) in ports
