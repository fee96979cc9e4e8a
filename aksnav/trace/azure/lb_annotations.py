"""What a Service asks of the cloud provider, and what of it cannot be had: by its own fields and the objects around it.

Sources: cloud-provider-azure pkg/provider (azure_loadbalancer.go, azure_loadbalancer_healthprobe.go,
loadbalancer/accesscontrol.go) and its load balancer documentation, in aks-networking.md 2.0 (T2), 2.a and 5.1.
"""

import ipaddress
from collections.abc import Iterator
from shlex import quote

import msgspec

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.azure.network import PublicIPAddress
from aksnav.model.kubernetes.service import Service
from aksnav.store.store import Store
from aksnav.trace.azure.frontend import ANNOTATION, annotation, is_internal, is_true
from aksnav.trace.azure.joins import cluster, group_of, node_networks
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict

IDLE = "azure-load-balancer-tcp-idle-timeout"
_SHORTEST_IDLE, _LONGEST_IDLE = 4, 100
_INTERVAL, _COUNT = 5, 2
_LONGEST_PROBE = 120
_MOST_RULES = 250
_RESERVED = 5


class Fault(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that a Service asks for and does not get.

    Attributes:
        cause: check id.
        said: one line.
        facts: the fields.
        fix: one line.
        blocks: the cloud provider gives up on the whole Service: it gets no address, or keeps its old rules.
    """

    cause: str
    said: str
    facts: tuple[Evidence, ...]
    fix: str
    blocks: bool = True


def field_of(name: str) -> str:
    """Return the path of an annotation of the cloud provider."""
    return f".metadata.annotations['{ANNOTATION}{name}']"


def faults(store: Store, service: Service) -> Iterator[Fault]:
    """Yield what is wrong with what a Service of type LoadBalancer asks for."""
    yield from _access(service)
    yield from _times(service)
    yield from _subnet(store, service)
    yield from _public(store, service)
    yield from _label(store, service)
    yield from _clash(store, service)
    yield from _chosen(store, service)
    yield from _full(store, service)
    managed = cluster(store)
    if managed is not None and managed.network_profile.load_balancer_sku.lower() == "basic":
        fact = Evidence(".networkProfile.loadBalancerSku", "basic", managed.ref)
        yield Fault(
            cause="L21",
            said="the cluster's load balancer is of sku Basic, which is retired",
            facts=(fact,),
            fix="upgrade the cluster's load balancer to sku Standard",
        )


def step_of(service: Service, fault: Fault) -> Step:
    """Return a fault as the step at which the load balancer is not what the Service asks for."""
    return Step(
        kind=Kind.LB_FRONTEND,
        verdict=Verdict.DROP,
        summary=f"Service {service.id}: {fault.said}",
        subject=service.ref,
        version=service.resource_version,
        cause=fault.cause,
        evidence=fault.facts,
        confirm=f"kubectl -n {quote(service.namespace)} describe service {quote(service.name)}",
        fix=fault.fix,
    )


def allowed_ranges(service: Service) -> tuple[str, ...]:
    """Return the ranges of annotation azure-allowed-ip-ranges."""
    return tuple(text.strip() for text in annotation(service, "azure-allowed-ip-ranges").split(",") if text.strip())


def _access(service: Service) -> Iterator[Fault]:
    """N06, N07, N08: who may come, said twice or wrongly (accesscontrol.go)."""
    ranges, allowed = service.load_balancer_source_ranges, allowed_ranges(service)
    own = Evidence(".spec.loadBalancerSourceRanges", ", ".join(ranges), service.ref)
    listed = Evidence(field_of("azure-allowed-ip-ranges"), ", ".join(allowed), service.ref)
    if ranges and allowed:
        said = "loadBalancerSourceRanges and azure-allowed-ip-ranges are both set: nothing of it is applied"
        yield Fault(cause="N06", said=said, facts=(own, listed), fix="keep one of the two")
    tags = annotation(service, "azure-allowed-service-tags")
    if ranges and tags:
        fact = Evidence(field_of("azure-allowed-service-tags"), tags, service.ref)
        said = "sources of azure-allowed-service-tags pass the security group, and nodes drop what is not in the ranges"
        yield Fault(cause="N07", said=said, facts=(own, fact), fix="use tags or ranges alone", blocks=False)
    for fact, texts in ((own, ranges), (listed, allowed)):
        wrong = next((text for text in texts if not _is_block(text.strip())), "")
        if wrong:
            said = f"{wrong!r} is no CIDR: the internet is not let in, and all others are denied"
            yield Fault(cause="N08", said=said, facts=(fact,), fix="write a CIDR without host bits", blocks=False)


def _is_block(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=True)
    except ValueError:
        return False
    return "/" in text


def _times(service: Service) -> Iterator[Fault]:
    """L07: an idle timeout or a probe's time that the cloud provider refuses."""
    idle = annotation(service, IDLE)
    if idle and not (idle.strip().isdigit() and _SHORTEST_IDLE <= int(idle) <= _LONGEST_IDLE):
        yield _refused(service, IDLE, idle, f"the idle timeout is {_SHORTEST_IDLE} to {_LONGEST_IDLE} minutes")
    common = "azure-load-balancer-health-probe"
    for port in service.ports:
        own = f"port_{port.port}_health-probe"
        named = {
            "interval": _first(service, f"{own}_interval", f"{common}-interval"),
            "count": _first(service, f"{own}_num-of-probe", f"{common}-num-of-probe"),
        }
        interval, count = _number(named["interval"][1], _INTERVAL), _number(named["count"][1], _COUNT)
        if interval is None or interval < _INTERVAL:
            yield _refused(service, *named["interval"], f"a probe's interval is {_INTERVAL} seconds or more")
        elif count is None or count < _COUNT:
            yield _refused(service, *named["count"], f"a probe fails after {_COUNT} times or more")
        elif interval * count >= _LONGEST_PROBE:
            name, value = named["interval"] if named["interval"][1] else named["count"]
            yield _refused(service, name, value, f"interval times count has to be less than {_LONGEST_PROBE} seconds")


def _first(service: Service, *names: str) -> tuple[str, str]:
    return next(((name, annotation(service, name)) for name in names if annotation(service, name)), (names[-1], ""))


def _number(text: str, default: int) -> int | None:
    if not text:
        return default
    return int(text) if text.strip().isdigit() else None


def _refused(service: Service, name: str, value: str, why: str) -> Fault:
    fact = Evidence(field_of(name), value, service.ref)
    return Fault(cause="L07", said=f"{name} is {value!r}: {why}", facts=(fact,), fix="correct the annotation")


def _subnet(store: Store, service: Service) -> Iterator[Fault]:
    """L04: the subnet of an internal load balancer is not there or full, or the address is not in it."""
    if not is_internal(service) or unreadable(store.virtual_networks):
        return
    home = node_networks(store)
    subnets = [(net, sub) for net in store.virtual_networks if net.id in home or not home for sub in net.subnets]
    if not subnets:
        return
    name = annotation(service, "azure-load-balancer-internal-subnet")
    fact = Evidence(field_of("azure-load-balancer-internal-subnet"), name or "(not set)", service.ref)
    found = [pair for pair in subnets if pair[1].name.lower() == name.lower()] if name else []
    if name and not found:
        listed = ", ".join(sub.name for _, sub in subnets)
        facts = (fact, Evidence(".subnets[].name", listed, subnets[0][0].ref))
        yield Fault(
            cause="L04", said=f"there is no subnet {name} in the nodes' network", facts=facts, fix="name a subnet"
        )
        return
    wanted = annotation(service, "azure-load-balancer-ipv4") or service.load_balancer_ip
    number = parse_address(wanted) if wanted else None
    for network, subnet in found:
        prefixes = [prefix for prefix in map(parse_prefix, subnet.prefixes) if prefix is not None]
        if number is not None and prefixes and not any(number in prefix for prefix in prefixes):
            facts = (fact, Evidence(field_of("azure-load-balancer-ipv4"), wanted, service.ref))
            said = f"{wanted} is not in subnet {name} ({', '.join(subnet.prefixes)})"
            yield Fault(cause="L04", said=said, facts=facts, fix="choose an address of the subnet")
        usage = next((item for item in network.usages or () if item.arm_id.lower() == subnet.id), None)
        if usage is not None and usage.limit and usage.current_value >= usage.limit and not service.ingress_points:
            used = Evidence(".usages[].currentValue", f"{usage.current_value:g} of {usage.limit:g}", network.ref)
            yield Fault(cause="L04", said=f"subnet {name} is full", facts=(fact, used), fix="use a subnet with room")


def _public(store: Store, service: Service) -> Iterator[Fault]:
    """L02: the public address that is asked for, of either family, cannot be used."""
    if is_internal(service) or unreadable(store.public_ips, _scope(store, service)):
        return
    for suffix, family in (("", "ipv4"), ("-ipv6", "ipv6")):
        name, fixed = (
            annotation(service, f"azure-pip-name{suffix}"),
            annotation(service, f"azure-load-balancer-{family}"),
        )
        field = field_of(f"azure-pip-name{suffix}" if name else f"azure-load-balancer-{family}")
        if not (name or fixed) and family == "ipv4":
            fixed, field = service.load_balancer_ip, ".spec.loadBalancerIP"
        if name or fixed:
            yield from _asked(store, service, (name, fixed), Evidence(field, name or fixed, service.ref))


def _asked(store: Store, service: Service, wanted: tuple[str, str], fact: Evidence) -> Iterator[Fault]:
    """Yield why a public address, wanted by name or by number, cannot be used."""
    name, fixed = wanted
    scope, where = _scope(store, service), annotation(service, "azure-load-balancer-resource-group")
    found = next(
        (item for item in store.public_ips if (fixed and item.ip_address == fixed) or (name and item.name == name)),
        None,
    )
    fix = "make a Standard static public address in the group that the Service names, or correct the annotation"
    if found is None:
        said = f"no public address {name or fixed} is there" + (f" in resource group {where}" if where else "")
        yield Fault(cause="L02", said=said, facts=(fact,), fix=fix)
        return
    why = _unusable(found, service)
    if why:
        yield Fault(cause="L02", said=f"public address {found.name} {why[0]}", facts=(fact, why[1]), fix=fix)
    elif scope and group_of(found.id) != scope:
        own = Evidence(".id", found.arm_id, found.ref)
        said = f"public address {found.name} is in another resource group than {scope.rpartition('/')[2]}"
        yield Fault(
            cause="L02", said=said, facts=(fact, own), fix=f"set {ANNOTATION}azure-load-balancer-resource-group"
        )


def _scope(store: Store, service: Service) -> str:
    """Return the resource group in which the cloud provider looks for the address, or an empty string."""
    managed = cluster(store)
    if managed is None:
        return ""
    subscription = group_of(managed.id).rpartition("/resourcegroups/")[0]
    name = annotation(service, "azure-load-balancer-resource-group") or managed.node_resource_group
    return f"{subscription}/resourcegroups/{name.lower()}" if name else ""


def _unusable(found: PublicIPAddress, service: Service) -> tuple[str, Evidence] | None:
    if found.sku.name.lower() not in {"standard", "standardv2"}:
        fact = Evidence(".sku.name", found.sku.name or "(not said)", found.ref)
        return f"has sku {found.sku.name or '(not said)'}, not Standard", fact
    used = found.ip_configuration
    if used is not None and used.arm_id and not service.ingress_points:
        return "is attached to something else", Evidence(".ipConfiguration.id", used.arm_id, found.ref)
    return None


def _label(store: Store, service: Service) -> Iterator[Fault]:
    """L05: two Services want the same DNS label."""
    label = annotation(service, "azure-dns-label-name").lower()
    if not label or is_internal(service):
        return
    for other in store.services:
        if other.id < service.id and annotation(other, "azure-dns-label-name").lower() == label:
            shared = {point.ip for point in other.ingress_points} & {point.ip for point in service.ingress_points}
            if shared:
                continue
            facts = tuple(Evidence(field_of("azure-dns-label-name"), label, item.ref) for item in (service, other))
            yield Fault(
                cause="L05",
                said=f"DNS label {label} is Service {other.id}'s",
                facts=facts,
                fix="use a label of its own",
            )
            return


def _clash(store: Store, service: Service) -> Iterator[Fault]:
    """L19: an older Service has the same address and port."""
    wanted = annotation(service, "azure-load-balancer-ipv4") or service.load_balancer_ip
    name = annotation(service, "azure-pip-name")
    if not (wanted or name):
        return
    mine = {(port.protocol, port.port) for port in service.ports}
    for other in store.services:
        if other.id == service.id or other.type != "LoadBalancer" or other.created > service.created:
            continue
        if other.created == service.created and other.id > service.id:
            continue
        same = wanted and (
            wanted in {point.ip for point in other.ingress_points}
            or wanted in {annotation(other, "azure-load-balancer-ipv4"), other.load_balancer_ip}
        )
        same = same or (name and annotation(other, "azure-pip-name") == name)
        both = sorted(mine & {(port.protocol, port.port) for port in other.ports})
        if same and both:
            protocol, port = both[0]
            facts = (
                Evidence(".spec.ports[].port", str(port), service.ref),
                Evidence(".spec.ports[].port", str(port), other.ref, f"has {wanted or name} already"),
            )
            said = f"Service {other.id} has {protocol} {port} of {wanted or name} already"
            yield Fault(cause="L19", said=said, facts=facts, fix="use another port, or an address of its own")
            return


def _chosen(store: Store, service: Service) -> Iterator[Fault]:
    """L24: with several load balancers, the Service wants one that there is not."""
    text = annotation(service, "azure-load-balancer-configurations")
    managed = cluster(store)
    if not text or managed is None or unreadable(store.load_balancers):
        return
    fact = Evidence(field_of("azure-load-balancer-configurations"), text, service.ref)
    profile = managed.network_profile.load_balancer_profile
    if profile.get("enableMultipleStandardLoadBalancers") is False:
        own = Evidence(".networkProfile.loadBalancerProfile.enableMultipleStandardLoadBalancers", "false", managed.ref)
        said = "the cluster has one load balancer, and azure-load-balancer-configurations chooses among several"
        yield Fault(cause="L24", said=said, facts=(fact, own), fix="remove the annotation", blocks=False)
        return
    names = {item.name.lower().removesuffix("-internal") for item in store.load_balancers}
    wanted = {item.strip().lower() for item in text.split(",") if item.strip()}
    if wanted and not wanted & names:
        listed = Evidence("loadBalancers[].name", ", ".join(sorted(names)), managed.ref)
        said = f"none of the load balancers {', '.join(sorted(wanted))} is there"
        yield Fault(cause="L24", said=said, facts=(fact, listed), fix="name a configuration that the cluster has")


def _full(store: Store, service: Service) -> Iterator[Fault]:
    """L23: the load balancer holds as many rules as the cloud provider writes into one."""
    if service.ingress_points or is_true(service, "azure-load-balancer-configurations"):
        return
    suffix = "-internal" if is_internal(service) else ""
    for balancer in store.load_balancers:
        count = len(balancer.load_balancing_rules)
        if balancer.name.lower() == f"kubernetes{suffix}" and count + len(service.ports) > _MOST_RULES:
            fact = Evidence(".loadBalancingRules", f"{count} rules", balancer.ref)
            said = f"load balancer {balancer.name} has {count} rules, and {_MOST_RULES} is what is written into one"
            yield Fault(
                cause="L23", said=said, facts=(fact,), fix="use an ingress, fewer ports or several load balancers"
            )
