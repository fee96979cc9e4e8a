"""Addresses of what stands in front of a cluster: private endpoints, private link services, Application Gateways."""

from collections.abc import Iterator

from aksnav.model.addresses import parse_address
from aksnav.store import Store
from aksnav.trace.addressing.words import Holder, Sort


def edge_holders(store: Store) -> Iterator[tuple[Holder, str]]:
    """Yield who holds an address there, each with the id of the configuration that has it."""
    yield from _endpoints(store)
    yield from _links(store)
    yield from _gateways(store)


def _endpoints(store: Store) -> Iterator[tuple[Holder, str]]:
    for endpoint in store.private_endpoints:
        said = [(f".ipConfigurations[{at}].privateIPAddress", item.private_ip_address)
                for at, item in enumerate(endpoint.ip_configurations)]  # fmt: skip
        said += [
            (f".customDnsConfigs[{at}].ipAddresses", text)
            for at, item in enumerate(endpoint.custom_dns_configs)
            for text in item.ip_addresses
        ]
        subnet = endpoint.subnet.id if endpoint.subnet is not None else ""
        for field, text in said:
            address = parse_address(text)
            if address is not None:
                yield (
                    Holder(
                        sort=Sort.PRIVATE_ENDPOINT,
                        name=endpoint.name,
                        ref=endpoint.ref,
                        field=field,
                        address=address,
                        subnet=subnet,
                    ),
                    "",
                )


def _links(store: Store) -> Iterator[tuple[Holder, str]]:
    for service in store.private_link_services:
        for index, item in enumerate(service.ip_configurations):
            yield (
                Holder(
                    sort=Sort.PRIVATE_LINK,
                    name=service.name,
                    ref=service.ref,
                    field=f".ipConfigurations[{index}].privateIPAddress",
                    address=parse_address(item.private_ip_address),
                    subnet=item.subnet.id if item.subnet is not None else "",
                ),
                item.id,
            )


def _gateways(store: Store) -> Iterator[tuple[Holder, str]]:
    for gateway in store.application_gateways:
        for index, frontend in enumerate(gateway.frontend_ip_configurations):
            if frontend.subnet is not None:
                yield (
                    Holder(
                        sort=Sort.APPLICATION_GATEWAY,
                        name=gateway.name,
                        ref=gateway.ref,
                        field=f".frontendIPConfigurations[{index}].privateIPAddress",
                        address=parse_address(frontend.private_ip_address),
                        subnet=frontend.subnet.id,
                    ),
                    frontend.id,
                )
