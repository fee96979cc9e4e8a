"""Faults that have a scenario of their own only."""

from aksnav.model.object import Ref
from aksnav.sources.demo.azure_loadbalancers import PUBLIC_LB, rule_prefix
from aksnav.sources.demo.azure_network import FIREWALL, ROUTES, SUBNET_GROUP, route
from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.world import World, uid

_GATEWAY_RULE = f"{rule_prefix({'metadata': {'uid': uid('Service', 'infra', 'web-approuting-istio')}})}-TCP-443"


def _asymmetric_route(world: World) -> None:
    routes = world.get("routeTables", ROUTES.lower())["properties"]["routes"]
    routes.append(route("default-to-firewall", "0.0.0.0/0", "VirtualAppliance", FIREWALL))


def _probe_on_root(world: World) -> None:
    del world.get("Service", "infra/web-approuting-istio")["metadata"]["annotations"]


def _subnet_group_without_web(world: World) -> None:
    properties = world.get("networkSecurityGroups", SUBNET_GROUP.lower())["properties"]
    properties["securityRules"] = [item for item in properties["securityRules"] if item["name"] != "allow-web"]


ALONE = (
    Fault(
        check="R01", word="asymmetric-route", title="answers to the internet leave through the firewall",
        apply=_asymmetric_route, alone=True,
        expected=Expected(
            to="https://shop.contoso.com/", outcome="dropped",
            subject=Ref("routeTables", ROUTES.lower()), field=".routes[?name=='default-to-firewall'].nextHopType",
        ),
    ),
    Fault(
        check="L12", word="probe-on-root", title="the gateway's probe asks for / over HTTP and never gets a 200",
        apply=_probe_on_root, alone=True,
        expected=Expected(
            to="https://status.apps.contoso.com/", outcome="undecided",
            subject=Ref("loadBalancers", PUBLIC_LB.lower()), field=f".probes[?name=='{_GATEWAY_RULE}'].requestPath",
        ),
    ),
    Fault(
        check="N01", word="subnet-nsg-without-allow", title="the subnet's own group has no rule for the web frontends",
        apply=_subnet_group_without_web, alone=True,
        expected=Expected(
            to="https://shop.contoso.com/", outcome="dropped",
            subject=Ref("networkSecurityGroups", SUBNET_GROUP.lower()),
            field=".defaultSecurityRules[2].access",
        ),
    ),
)  # fmt: skip
