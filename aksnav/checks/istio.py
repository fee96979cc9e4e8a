"""Istio's objects asked by themselves: selectors, gateways and hosts, certificates, subsets, mutual TLS, revisions."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.kubernetes.istio import MESH, DestinationRule, IstioGateway, VirtualService, WeightedDestination
from aksnav.model.kubernetes.workload import Namespace
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.azure.commands import of_cluster
from aksnav.trace.azure.joins import cluster
from aksnav.trace.istio import credentials, destinations, hosts, http, listener, mesh, ways
from aksnav.trace.istio.scope import ADD_ON_ROOT, Place, Workload, gateways_of, selects, unread
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence

_INJECTION = "istio-injection"
_REVISION = "istio.io/rev"
_ADD_ON = "asm-"


def istio_findings(store: Store) -> Iterator[Finding]:
    """Yield G16 to G19, G21, G22, G26 and G31 of objects, whether or not a request would meet them."""
    for gateway in sorted(store.istio_gateways, key=lambda row: row.id):
        yield from _selector(store, gateway)
        yield from _certificates(store, gateway)
    for row in sorted(store.virtual_services, key=lambda row: row.id):
        yield from _bound(store, row)
        yield from _destinations(store, row)
    for rule in sorted(store.destination_rules, key=lambda row: row.id):
        yield from _subsets(store, rule)
        yield from _plain(store, rule)
    yield from _two_meshes(store)
    yield from _revisions(store)


def _selector(store: Store, gateway: IstioGateway) -> Iterator[Finding]:
    """G17: no Pod has the labels, or a Service of a gateway selects none that has."""
    if not gateway.selector or not store.pods.access().complete or store.pods.undecodable:
        return
    if any(selects(gateway.selector, labels) for _, labels in store.pod_classes.all_classes()):
        return
    wanted = ",".join(f"{key}={value}" for key, value in sorted(gateway.selector.items()))
    worn = sorted({row.selector["istio"] for row in ways.fronts(store) if row.selector and "istio" in row.selector})
    yield Finding(
        id="G17",
        subject=gateway.ref,
        summary=f"the selector {wanted} of Gateway {gateway.id} matches no Pod: no gateway listens for it",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(".spec.selector", wanted, gateway.ref),
            Evidence("label istio of the gateways there are", ", ".join(worn) or "(no gateway is found)"),
        ),
        confirm=kubectl.listing("Pod", "", wanted),
        fix=f"use istio: {worn[0]}" if worn else "enable an ingress gateway of the add-on",
    )


def _certificates(store: Store, gateway: IstioGateway) -> Iterator[Finding]:
    """G19: the Secret of a server that ends TLS is not beside the gateway's Pods, or has not its keys."""
    for service in ways.of_gateway(store, gateway):
        for index, server in enumerate(gateway.servers):
            tls = server.tls
            if tls is None or tls.mode in listener.PASSED_ON or not tls.credentials:
                continue
            place = Place(gateway, index, server)
            found = finding_of(credentials.handshake(store, place, ways.at_service(service), Packet(sni="a client")))
            if found is not None:
                yield found


def _bound(store: Store, row: VirtualService) -> Iterator[Finding]:
    """G18: of the Gateways that are named one is not there, or none has a host of the VirtualService."""
    named = [name for name in dict.fromkeys(gateways_of(row)) if name != MESH]
    if not named or unread(store, ("IstioGateway",)):
        return
    gone = [name for name in named if store.istio_gateways.get(name) is None]
    found = [gateway for gateway in map(store.istio_gateways.get, named) if gateway is not None]
    places = [Place(gateway, index, server) for gateway in found for index, server in enumerate(gateway.servers)]
    mine = [hosts.fqdn(name, row.namespace) for name in row.hosts]
    shared = any(
        hosts.intersection(hosts.of_namespace(place.server.hosts, place.gateway.namespace, row.namespace), mine)
        for place in places
    )
    if shared and not gone:
        return
    if gone:
        why = f"Gateway {gone[0]} does not exist"
        facts: tuple[Evidence, ...] = (Evidence(".spec.gateways", ", ".join(row.gateways), row.ref, why),)
    else:
        astray = http.why_astray(store, row, places, Workload(row.namespace, {}))
        if astray is None or not places:
            return
        why, facts = astray
    yield Finding(
        id="G18",
        subject=row.ref,
        summary=f"VirtualService {row.id} does not come to a gateway that it names: {why}",
        proof=Proof.PROVEN,
        evidence=facts,
        related=tuple(Ref(IstioGateway.KIND, name) for name in named),
        confirm=kubectl.show(row.ref, ".spec"),
        fix="let hosts and gateways of the VirtualService and hosts of the Gateway's servers agree",
    )


def _destinations(store: Store, row: VirtualService) -> Iterator[Finding]:
    """G22 and G31: a destination whose subset, Service or port is not there, for the gateways that are named."""
    for at in _senders(store, row):
        for kind, index, listed in _routes(row):
            sender = destinations.Sender(at=at, row=row, field=f".spec.{kind}[{index}]", http=kind == "http", port=0)
            yield from _failing(store, sender, listed)


def _routes(row: VirtualService) -> Iterator[tuple[str, int, tuple[WeightedDestination, ...]]]:
    """Every rule with those of its destinations that get anything."""
    passed = [("tls", index, rule.route) for index, rule in enumerate(row.tls)]
    passed += [("tcp", index, rule.route) for index, rule in enumerate(row.tcp)]
    for kind, index, route in (*(("http", index, rule.route) for index, rule in enumerate(row.http)), *passed):
        yield kind, index, tuple(item for item in route if item.weight or len(route) == 1)


def _senders(store: Store, row: VirtualService) -> Iterator[Workload]:
    """The proxies that a VirtualService is for: of the mesh, one of its own namespace stands for them."""
    named = gateways_of(row)
    if MESH in named:
        yield Workload(row.namespace, {})
    for name in named:
        gateway = store.istio_gateways.get(name)
        if gateway is not None:
            yield from (ways.at_service(service) for service in ways.of_gateway(store, gateway))


def _failing(store: Store, sender: destinations.Sender, listed: tuple[WeightedDestination, ...]) -> Iterator[Finding]:
    for item in listed:
        if item.destination.port is None and not _only_port(store, sender.row, item.destination.host):
            continue  # the listener's port decides, which a trace knows
        targets, _ = destinations.targets(store, sender, (item,), Packet(scheme="http"))
        for step in targets[0].steps:
            found = finding_of(step)
            if found is not None:
                yield found


def _only_port(store: Store, row: VirtualService, host: str) -> bool:
    service = store.services.get(hosts.service_id(hosts.fqdn(host, row.namespace)))
    return service is None or len(service.ports) == 1


def _subsets(store: Store, rule: DestinationRule) -> Iterator[Finding]:
    """G22: a subset that is used selects no Pod of the Service; one that nobody uses harms nobody."""
    service = store.services.get(hosts.service_id(hosts.fqdn(rule.host, rule.namespace)))
    if service is None or not service.selector or not store.pods.access(service.namespace).complete:
        return
    used = _used(store, f"{service.name}.{service.namespace}.{hosts.DOMAIN}")
    for index, item in enumerate(rule.subsets):
        if item.name not in used or any(bad.startswith(f"{service.namespace}/") for bad in store.pods.undecodable):
            continue
        if store.pod_classes.matching(service.namespace, {**service.selector, **item.labels}) and not any(
            service.selector.get(key, value) != value for key, value in item.labels.items()
        ):
            continue
        labels = ",".join(f"{key}={value}" for key, value in sorted(item.labels.items()))
        yield Finding(
            id="G22",
            subject=rule.ref,
            summary=f"subset {item.name} ({labels}) of DestinationRule {rule.id} has no Pod of Service {service.id}",
            proof=Proof.PROVEN,
            evidence=(
                Evidence(f".spec.subsets[{index}].labels", labels, rule.ref),
                Evidence(".spec.selector", str(service.selector), service.ref),
            ),
            related=(service.ref,),
            confirm=kubectl.listing("Pod", service.namespace, labels),
            fix="let the labels of the subset be those of Pods of the Service",
        )


def _used(store: Store, name: str) -> set[str]:
    """The subsets of a Service to which some VirtualService sends a share that is not nothing."""
    return {
        item.destination.subset
        for row in store.virtual_services
        for _, _, listed in _routes(row)
        for item in listed
        if hosts.fqdn(item.destination.host, row.namespace) == name
    }


def _plain(store: Store, rule: DestinationRule) -> Iterator[Finding]:
    """G21: a DestinationRule turns mutual TLS off for Pods that take nothing else."""
    tls = rule.traffic_policy.tls if rule.traffic_policy is not None else None
    service = store.services.get(hosts.service_id(hosts.fqdn(rule.host, rule.namespace)))
    if tls is None or tls.mode != "DISABLE" or service is None or not service.selector:
        return
    idents = sorted(store.pod_classes.matching(service.namespace, service.selector))
    for pod in (found for found in map(store.pods.get, idents) if found is not None):
        for port in service.ports:
            number = port.target if isinstance(port.target, int) else 0
            strict = mesh.strict(store, pod, number)
            if strict is not None:
                yield Finding(
                    id="G21",
                    subject=rule.ref,
                    summary=f"DestinationRule {rule.id} turns mutual TLS off, and Pod {pod.id} takes nothing else",
                    proof=Proof.PROVEN,
                    evidence=(Evidence(".spec.trafficPolicy.tls.mode", tls.mode, rule.ref), strict),
                    related=(service.ref,),
                    confirm=kubectl.show(rule.ref, ".spec.trafficPolicy"),
                    fix="remove tls.mode DISABLE, or let PeerAuthentication be PERMISSIVE",
                )
                return


def _two_meshes(store: Store) -> Iterator[Finding]:
    """G16: the add-on and application routing's Gateway API are both switched on, which AKS does not allow together."""
    managed = cluster(store)
    if managed is None or managed.service_mesh_profile.get("mode") != "Istio":
        return
    routing = managed.ingress_profile.get("webAppRouting")
    offered = routing.get("gatewayAPIImplementations") if isinstance(routing, dict) else None
    own = offered.get("appRoutingIstio") if isinstance(offered, dict) else None
    if not isinstance(own, dict) or own.get("mode") != "Enabled":
        return
    field = ".ingressProfile.webAppRouting.gatewayAPIImplementations.appRoutingIstio.mode"
    yield Finding(
        id="G16",
        subject=managed.ref,
        summary="the Istio add-on and the Gateway API of application routing are both enabled",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(".serviceMeshProfile.mode", "Istio", managed.ref),
            Evidence(field, "Enabled", managed.ref),
        ),
        confirm=of_cluster(managed.arm_id, "{mesh:serviceMeshProfile,ingress:ingressProfile}"),
        fix="disable one of the two",
    )


def _revisions(store: Store) -> Iterator[Finding]:
    """G26: a namespace asks for sidecars by a label that the add-on does not follow, or of a revision that is gone."""
    installed = _installed(store)
    if not installed:
        return
    for row in sorted(store.namespaces, key=lambda row: row.name):
        said = row.labels.get(_REVISION, "")
        if row.labels.get(_INJECTION) == "enabled" and not said:
            yield _unlabelled(row, _INJECTION, "enabled", installed, "the add-on does not follow this label")
        elif said.startswith(_ADD_ON) and said not in installed:
            yield _unlabelled(row, _REVISION, said, installed, "that revision is not installed")


def _unlabelled(row: Namespace, key: str, value: str, installed: tuple[str, ...], why: str) -> Finding:
    return Finding(
        id="G26",
        subject=row.ref,
        summary=f"namespace {row.name} has the label {key}={value}, and its new Pods get no sidecar: {why}",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(f".metadata.labels['{key}']", value, row.ref),
            Evidence("installed revisions", ", ".join(installed)),
        ),
        confirm=kubectl.show(row.ref, ".metadata.labels"),
        fix=f"label the namespace {_REVISION}={installed[0]}, and start its Pods again",
    )


def _installed(store: Store) -> tuple[str, ...]:
    """The add-on's revisions: of the cluster's profile, and of the istiod that runs."""
    managed = cluster(store)
    profile = managed.service_mesh_profile if managed is not None else {}
    config = profile.get("istio") if profile.get("mode") == "Istio" else None
    listed = config.get("revisions") if isinstance(config, dict) else None
    found = {str(item) for item in listed} if isinstance(listed, list) else set()
    for namespace, labels in store.pod_classes.all_classes():
        said = labels.get(_REVISION, "")
        if namespace == ADD_ON_ROOT and labels.get("app") == "istiod" and said.startswith(_ADD_ON):
            found.add(said)
    return tuple(sorted(found))
