"""Services asked by themselves, whether or not a way in leads to them: the trace's own rules on every port."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding
from aksnav.checks.from_steps import finding_of
from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.service import Service
from aksnav.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.service import Via, endpoints


def service_findings(store: Store) -> Iterator[Finding]:
    """Yield what is wrong with the endpoints of every Service (S01, S02, S04 and what is behind them)."""
    for service in store.services:
        yield from _of_service(store, service)


def _of_service(store: Store, service: Service) -> Iterator[Finding]:
    if service.type == "ExternalName":
        return
    address = next((number for ip in service.virtual_ips if (number := parse_address(ip)) is not None), None)
    for port in service.ports:
        packet = Packet(destination=address, port=port.port, protocol=port.protocol)
        decision = endpoints(store, service, port, packet, Via(anywhere=True))
        for step in (decision.step, *decision.further):
            found = finding_of(step)
            if found is not None:
                yield found
