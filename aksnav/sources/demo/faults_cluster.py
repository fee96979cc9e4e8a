"""Faults inside the cluster, each with a scenario of its own only: routes, Services, policies, Pods, names."""

from aksnav.model.object import Ref
from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.faults import BLOG_POD
from aksnav.sources.demo.routing import Path, ingress
from aksnav.sources.demo.services import slice_name
from aksnav.sources.demo.workloads import pod_name, set_ready, unschedule, workload
from aksnav.sources.demo.world import Json, World, condition

_PAY_POD = f"pod/payments/{pod_name(workload('payments', 'payments'), 0)}"
_PAY = "https://pay.apps.contoso.com/"
_STATUS = "https://status.apps.contoso.com/"
_GATEWAY = Ref("Gateway", "infra/web")


def _gateway(world: World) -> Json:
    return world.get("Gateway", "infra/web")


def _class_missing(world: World) -> None:
    _gateway(world)["spec"]["gatewayClassName"] = "approuting"


def _not_programmed(world: World) -> None:
    conditions = _gateway(world)["status"]["conditions"]
    message = "Failed to assign to any requested addresses: waiting for an address of the load balancer"
    conditions[1] = condition("Programmed", "False", "AddressNotAssigned", message, 2)
    _gateway(world)["status"]["addresses"] = []
    world.get("Service", "infra/web-approuting-istio")["status"] = {"loadBalancer": {}}


def _backend_not_found(world: World) -> None:
    world.get("HTTPRoute", "shop/status")["spec"]["rules"][0]["backendRefs"][0]["name"] = "status-page"


def _hostname_outside(world: World) -> None:
    world.get("HTTPRoute", "shop/status")["spec"]["hostnames"] = ["status.contoso.com"]
    world.get("HTTPRoute", "shop/status")["metadata"]["generation"] = 2


def _not_allowed(world: World) -> None:
    for listener in _gateway(world)["spec"]["listeners"]:
        listener["allowedRoutes"] = {"namespaces": {"from": "Same"}}


def _wrong_parent(world: World) -> None:
    world.get("HTTPRoute", "shop/status")["spec"]["parentRefs"][0]["name"] = "website"


def _no_class(world: World) -> None:
    del world.get("Ingress", "intra/docs")["spec"]["ingressClassName"]


def _service_missing(world: World) -> None:
    ingress(world, "shop", "blog", "blog.contoso.com", (Path("/", "blog-v2"),), certificate="blog-tls")


def _port_missing(world: World) -> None:
    backend = world.get("Ingress", "shop/blog")["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    backend["service"]["port"] = {"number": 9090}


def _policy_with_service_port(world: World) -> None:
    world.get("NetworkPolicy", "payments/allow-gateway")["spec"]["ingress"][0]["ports"][0]["port"] = 80


def _policy_admits_nobody(world: World) -> None:
    world.get("NetworkPolicy", "reports/allow-shop")["spec"]["ingress"] = []


def _no_dns(world: World) -> None:
    world.drop("NetworkPolicy", "payments/allow-dns")


def _local_only(world: World) -> None:
    world.get("Service", "reports/reports")["spec"]["internalTrafficPolicy"] = "Local"


def _dns_down(world: World) -> None:
    for pod in world.pods_of("kube-system", {"k8s-app": "kube-dns"}):
        set_ready(pod, ready=False)


def _crash_loop(world: World) -> None:
    for pod in world.pods_of("shop", {"app": "blog"}):
        set_ready(pod, ready=False)
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=blog"}
        pod["status"]["containerStatuses"][0] |= {"restartCount": 41, "state": {"waiting": waiting}}


def _unschedulable(world: World) -> None:
    message = "0/6 nodes are available: 6 Insufficient memory. preemption: 0/6 nodes are available."
    for pod in world.pods_of("shop", {"app": "blog"}):
        unschedule(pod, message)


CLUSTER_FAULTS = (
    Fault(
        check="G05", word="backend-not-found", title="HTTPRoute shop/status sends to a Service that does not exist",
        apply=_backend_not_found, alone=True,
        expected=Expected(
            to=_STATUS, outcome="responds", status=500,
            subject=Ref("HTTPRoute", "shop/status"), field=".spec.rules[0].backendRefs[0].name",
        ),
    ),
    Fault(
        check="G07", word="gatewayclass-missing", title="Gateway infra/web has a class that does not exist",
        apply=_class_missing, alone=True,
        expected=Expected(to=_STATUS, outcome="dropped", subject=_GATEWAY, field=".spec.gatewayClassName"),
    ),
    Fault(
        check="G08", word="gateway-not-programmed", title="Gateway infra/web has no address",
        apply=_not_programmed, late=True, alone=True,
        expected=Expected(
            to=_STATUS, outcome="dropped",
            subject=_GATEWAY, field=".status.conditions[?(@.type=='Programmed')].status",
        ),
    ),
    Fault(
        check="G10", word="hostname-outside-listener", title="shop/status has a host that no listener takes",
        apply=_hostname_outside, alone=True,
        expected=Expected(
            to=_STATUS, outcome="responds", status=404,
            subject=Ref("HTTPRoute", "shop/status"), field=".spec.hostnames",
        ),
    ),
    Fault(
        check="G11", word="namespace-not-allowed", title="the listeners take routes of their own namespace only",
        apply=_not_allowed, alone=True,
        expected=Expected(
            to=_STATUS, outcome="responds", status=404,
            subject=_GATEWAY, field=".spec.listeners[1].allowedRoutes.namespaces.from",
        ),
    ),
    Fault(
        check="G12", word="wrong-parent", title="HTTPRoute shop/status names a Gateway that does not exist",
        apply=_wrong_parent, alone=True,
        expected=Expected(
            to=_STATUS, outcome="responds", status=404,
            subject=Ref("HTTPRoute", "shop/status"), field=".spec.parentRefs[0].name",
        ),
    ),
    Fault(
        check="I01", word="no-class", title="Ingress intra/docs has no class, and there is no default",
        apply=_no_class, alone=True,
        expected=Expected(
            to="https://docs.contoso.com/", outcome="dropped",
            subject=Ref("Ingress", "intra/docs"), field=".spec.ingressClassName",
        ),
    ),
    Fault(
        check="I06", word="service-missing", title="Ingress shop/blog sends to a Service that does not exist",
        apply=_service_missing, alone=True,
        expected=Expected(
            to="https://blog.contoso.com/", outcome="responds", status=503,
            subject=Ref("Ingress", "shop/blog"), field=".spec.rules[0].http.paths[0].backend.service.name",
        ),
    ),
    Fault(
        check="I07", word="port-missing", title="Ingress shop/blog sends to a port that the Service does not have",
        apply=_port_missing, alone=True,
        expected=Expected(
            to="https://blog.contoso.com/", outcome="responds", status=503,
            subject=Ref("Ingress", "shop/blog"), field=".spec.rules[0].http.paths[0].backend.service.port.number",
        ),
    ),
    Fault(
        check="P02", word="policy-with-service-port", title="payments admits the Service's port, not the Pods'",
        apply=_policy_with_service_port, alone=True,
        expected=Expected(
            to=_PAY, outcome="responds", status=503,
            subject=Ref("NetworkPolicy", "payments/allow-gateway"), field=".spec.ingress[0].ports[0].port",
        ),
    ),
    Fault(
        check="P18", word="policy-admits-nobody", title="reports has a policy with an empty list of rules",
        apply=_policy_admits_nobody, alone=True,
        expected=Expected(
            to="svc/reports/reports:80", source=BLOG_POD, outcome="dropped",
            subject=Ref("NetworkPolicy", "reports/allow-shop"), field=".spec.ingress",
        ),
    ),
    Fault(
        check="P06", word="egress-without-dns", title="Pods of payments may not ask for names",
        apply=_no_dns, alone=True,
        expected=Expected(
            to="tcp://ledger.payments.svc.cluster.local:5432", source=_PAY_POD, outcome="unresolved",
            subject=Ref("NetworkPolicy", "payments/default-deny"), field=".spec.policyTypes",
        ),
    ),
    Fault(
        check="S08", word="internal-policy-local", title="reports is served on the client's own node, and not there",
        apply=_local_only, alone=True,
        expected=Expected(
            to="svc/reports/reports:80", source=BLOG_POD, outcome="dropped",
            subject=Ref("Service", "reports/reports"), field=".spec.internalTrafficPolicy",
        ),
    ),
    Fault(
        check="D05", word="dns-down", title="no CoreDNS Pod is ready",
        apply=_dns_down, alone=True,
        expected=Expected(
            to="http://reports.reports.svc.cluster.local/", source=BLOG_POD, outcome="unresolved",
            subject=Ref("EndpointSlice", f"kube-system/{slice_name('kube-system', 'kube-dns')}"),
            field=".endpoints[0].conditions.ready",
        ),
    ),
    Fault(
        check="X01", word="crash-loop", title="the Pods of shop/blog crash again and again",
        apply=_crash_loop, alone=True,
        expected=Expected(
            to="https://blog.contoso.com/", outcome="responds", status=503,
            subject=Ref("EndpointSlice", f"shop/{slice_name('shop', 'blog')}"), field=".endpoints[0].conditions.ready",
        ),
    ),
    Fault(
        check="X05", word="unschedulable", title="no node has room for the Pods of shop/blog",
        apply=_unschedulable, alone=True,
        expected=Expected(
            to="https://blog.contoso.com/", outcome="responds", status=503,
            subject=Ref("Service", "shop/blog"), field=".status.conditions[?(@.type=='PodScheduled')].status",
        ),
    ),
)  # fmt: skip
