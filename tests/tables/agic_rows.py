"""Rows of the Azure load balancers that are outside of the cluster: AGIC, and Application Gateway for Containers."""

from tests.oracles.around import AGIC, CONTAINERS, Wire
from tests.tables.rows import Row, ing

_SOURCE = "application-gateway-kubernetes-ingress pkg/appgw"
_RULES, _LISTENERS = f"{_SOURCE}/requestroutingrules.go", f"{_SOURCE}/ingress_rules.go"
_V1 = "application-gateway-kubernetes-ingress docs/ingress-v1.md"
_MARKS = "MicrosoftDocs application-gateway/ingress-controller-annotations.md"
_PATHS = "MicrosoftDocs application-gateway/url-route-overview.md"
_SITES = "MicrosoftDocs application-gateway/multiple-site-overview.md"
_EMPTY = "MicrosoftDocs application-gateway/application-gateway-troubleshooting-502.md"
_TARGETS = "application-gateway-kubernetes-ingress pkg/brownfield/targets.go"
_AGC = "MicrosoftDocs application-gateway/for-containers"
_SECRET: Wire = {"kind": "Secret", "metadata": {"name": "cert", "namespace": "shop"}, "type": "kubernetes.io/tls"}
_PREFIX, _ALB = "appgw.ingress.kubernetes.io/", "alb.networking.azure.io/"

# Paths of one host, the request path, and the Service (None: no path rule takes it).
_TABLE = [
    (_V1, ("P /foo b0",), "/foo", "b0"),
    (_PATHS, ("P /foo b0",), "/foobar", "b0"),
    (_PATHS, ("P /foo b0",), "/FOO/x", "b0"),
    (_V1, ("P /foo* b0",), "/foobar", "b0"),
    (_V1, ("E /foo b0",), "/foo", "b0"),
    (_V1, ("E /foo* b0",), "/foo", "b0"),
    (_V1, ("E /foo* b0", "P / b1"), "/foox", "b1"),
    (_V1, ("I /foo b0", "P / b1"), "/foo/x", "b1"),
    (_V1, ("I /foo/* b0",), "/foo/x", "b0"),
    (_V1, ("I /foo/* b0", "P / b1"), "/foo", "b1"),
    (_RULES, ("P /foo b0", "P /foo/bar b1"), "/foo/bar", "b0"),
    (_RULES, ("P /foo/bar b0", "P /foo b1"), "/foo/bar", "b0"),
    (_RULES, ("P /foo/bar b0", "P /foo b1"), "/foo/x", "b1"),
    (_RULES, ("P / b0", "P /foo b1"), "/foo", "b1"),
    (_RULES, ("E / b0",), "/anything", "b0"),
    (_RULES, ("I /* b0",), "/anything", "b0"),
    (_RULES, ("P / b0", "P /* b1"), "/x", "b1"),
    (_RULES, ("P /foo b0", "P /foo b1"), "/foo", "b0"),
    (_EMPTY, ("E /foo b0",), "/foo/x", "502"),
    (_EMPTY, ("P /foo b0",), "/bar", "502"),
]


def _agic(*paths: str, name: str = "one", uid: str = "", host: str = "h", default: str = "", **marks: str) -> Wire:
    tls = ("h",) if marks.pop("tls", "") else None
    given = {key.replace("_", "-"): value for key, value in marks.items()}
    return ing(*paths, name=name, uid=uid, host=host, default=default, marks=given, tls=tls, prefix=_PREFIX)


def _row(
    section: str,
    name: str,
    ingresses: tuple[Wire, ...],
    url: str,
    expected: str,
    absent: tuple[str, ...] = (),
    unready: tuple[str, ...] = (),
) -> Row:
    return Row(section, name, ingresses, url, expected, AGIC, absent=absent, unready=unready, objects=(_SECRET,))


def _prohibited(
    name: str, url: str, expected: str, *paths: str, host: str = "h", own: tuple[str, ...] = ("P / b0",)
) -> Row:
    target: Wire = {
        "kind": "AzureIngressProhibitedTarget",
        "metadata": {"name": "keep", "namespace": "default"},
        "spec": {"hostname": host, "paths": list(paths)},
    }
    return Row(_TARGETS, name, (_agic(*own),), url, expected, AGIC, objects=(target,))


def _agc(section: str, name: str, ingresses: tuple[Wire, ...], url: str, expected: str) -> Row:
    return Row(f"{_AGC}/{section}", name, ingresses, url, expected, CONTAINERS, objects=(_SECRET,))


def _alb(*paths: str, name: str = "one", tls: tuple[str, ...] | None = None, **marks: str) -> Wire:
    return ing(
        *paths, name=name, tls=tls, prefix=_ALB, marks={key.replace("_", "-"): value for key, value in marks.items()}
    )


ROWS: list[Row] = [
    *(
        _row(section, f"{', '.join(paths)} and {asked}", (_agic(*paths),), f"http://h{asked}", expected)
        for section, paths, asked, expected in _TABLE
    ),
    _row(
        _RULES,
        "the default backend of the Ingress is the path map's",
        (_agic("P /foo b0", default="b1"),),
        "http://h/x",
        "b1",
    ),
    _row(_RULES, "a catch-all path goes before it", (_agic("P / b0", default="b1"),), "http://h/x", "b0"),
    _row(_RULES, "an Ingress without rules has any host", (_agic(default="b0"),), "http://o/x", "b0"),
    _row(
        _RULES,
        "Ingresses are taken in the order of their uid",
        (_agic("P /foo b1", name="aa", uid="2"), _agic("P /foo b0", name="zz", uid="1")),
        "http://h/foo",
        "b0",
    ),
    _row(
        _RULES,
        "a later catch-all path takes over",
        (_agic("P / b1", name="aa", uid="1"), _agic("P / b0", name="zz", uid="2")),
        "http://h/",
        "b0",
    ),
    _row(
        _V1,
        "an exact host before a wildcard",
        (_agic("P / b0", host="*.foo.com"), _agic("P / b1", name="two", host="a.foo.com")),
        "http://a.foo.com/",
        "b1",
    ),
    _row(_SITES, "a wildcard takes several labels", (_agic("P / b0", host="*.foo.com"),), "http://a.b.foo.com/", "b0"),
    _row(
        _SITES,
        "a wildcard before any host",
        (_agic("P / b0", host=""), _agic("P / b1", name="two", host="*.foo.com")),
        "http://a.foo.com/",
        "b1",
    ),
    _row(_SITES, "a host that no listener has", (_agic("P / b0"),), "http://o/", "404"),
    _row(
        f"{_MARKS}, Rule Priority",
        "the least number goes first",
        (_agic("P / b0", host="*.foo.com", rule_priority="10"), _agic("P / b1", name="two", host="a.foo.com")),
        "http://a.foo.com/",
        "b0",
    ),
    _row(
        f"{_MARKS}, Hostname Extension",
        "it adds names",
        (_agic("P / b0", hostname_extension="b.com, *.c.com"),),
        "http://x.c.com/",
        "b0",
    ),
    _row(
        f"{_MARKS}, Hostname Extension",
        "the host stays",
        (_agic("P / b0", hostname_extension="b.com"),),
        "http://h/",
        "b0",
    ),
    _row(
        f"{_MARKS}, Override Frontend Port",
        "the listener is at that port",
        (_agic("P / b0", override_frontend_port="8080"),),
        "http://h:8080/",
        "b0",
    ),
    _row(
        f"{_MARKS}, Override Frontend Port",
        "and not at 80",
        (_agic("P / b0", override_frontend_port="8080"),),
        "http://h/",
        "refused",
    ),
    _row(
        f"{_MARKS}, Override Frontend Port",
        "an invalid one is ignored",
        (_agic("P / b0", override_frontend_port="65000"),),
        "http://h/",
        "b0",
    ),
    _row(
        f"{_MARKS}, Use Private IP",
        "it is not at the public address",
        (_agic("P / b0", use_private_ip="true"),),
        "http://h/",
        "refused",
    ),
    _row(
        f"{_MARKS}, Use Private IP",
        "another host stays",
        (_agic("P / b0", use_private_ip="true"), _agic("P / b1", name="two", host="g")),
        "http://g/",
        "b1",
    ),
    _row(_LISTENERS, "with a certificate there is HTTPS", (_agic("P / b0", tls="1"),), "https://h/", "b0"),
    _row(_LISTENERS, "and no HTTP", (_agic("P / b0", tls="1"),), "http://h/", "refused"),
    _row(
        _LISTENERS,
        "and 404 where another host has HTTP",
        (_agic("P / b0", tls="1"), _agic("P / b1", name="two", host="g")),
        "http://h/",
        "404",
    ),
    _row(_LISTENERS, "without one there is no HTTPS", (_agic("P / b0"),), "https://h/", "refused"),
    _row(
        f"{_MARKS}, TLS Redirect",
        "ssl-redirect opens HTTP, and redirects with 301",
        (_agic("P / b0", tls="1", ssl_redirect="true"),),
        "http://h/x",
        "301",
    ),
    _row(
        f"{_MARKS}, TLS Redirect",
        "https is served",
        (_agic("P / b0", tls="1", ssl_redirect="true"),),
        "https://h/x",
        "b0",
    ),
    _row(
        f"{_MARKS}, TLS Redirect",
        "without TLS it does nothing",
        (_agic("P / b0", ssl_redirect="true"),),
        "http://h/",
        "b0",
    ),
    _row(
        f"{_MARKS}, Application Gateway SSL Certificate",
        "a certificate of the gateway opens HTTPS",
        (_agic("P / b0", appgw_ssl_certificate="c"),),
        "https://h/",
        "b0",
    ),
    Row(
        _LISTENERS,
        "a Secret that is missing gives no HTTPS",
        (_agic("P / b0", tls="1"),),
        "https://h/",
        "refused",
        AGIC,
    ),
    Row(_LISTENERS, "and HTTP instead", (_agic("P / b0", tls="1"),), "http://h/", "b0", AGIC),
    _row(
        f"{_MARKS}, WAF Policy for Path",
        "it is named",
        (_agic("P / b0", waf_policy_for_path="/x/p"),),
        "http://h/",
        "unsupported: waf-policy-for-path /x/p",
    ),
    _row(
        f"{_MARKS}, Rewrite Rule Set",
        "it is named",
        (_agic("P / b0", rewrite_rule_set="r"),),
        "http://h/",
        "unsupported: rewrite-rule-set r",
    ),
    _row(
        f"{_MARKS}, Rewrite Rule Set Custom Resource",
        "it is named",
        (_agic("P / b0", rewrite_rule_set_custom_resource="r"),),
        "http://h/",
        "unsupported: rewrite-rule-set-custom-resource r",
    ),
    _row(
        f"{_MARKS}, Custom Health Probe",
        "it does not change where a request goes",
        (_agic("P / b0", health_probe_path="/healthz"),),
        "http://h/",
        "b0",
    ),
    _row(_EMPTY, "a missing Service", (_agic("P / b0"),), "http://h/", "502", absent=("b0",)),
    _row(_EMPTY, "no endpoint is ready", (_agic("P / b0"),), "http://h/", "502", unready=("b0",)),
    _row(
        f"{_MARKS}, List of supported annotations",
        "the annotation of the class is enough",
        (ing("P / b0", marks={"kubernetes.io/ingress.class": "azure/application-gateway"}),),
        "http://h/",
        "b0",
    ),
    _prohibited("a host without paths", "http://h/", "refused"),
    _prohibited("letter case does not count", "http://h/", "refused", host="H"),
    _prohibited("another host", "http://h/", "b0", host="g"),
    _prohibited("no host is every host", "http://h/", "refused", host=""),
    _prohibited("one path", "http://h/foo", "b1", "/foo", own=("P /foo b0", "P / b1")),
    _prohibited("another path stays", "http://h/x", "b1", "/foo", own=("P /foo b0", "P / b1")),
    _prohibited("a path below another", "http://h/foo/x", "b1", "/foo/*", own=("P /foo/x b0", "P / b1")),
    _prohibited("/foo/* holds for /foo", "http://h/foo", "b1", "/foo/*", own=("P /foo b0", "P / b1")),
    _prohibited("/foo does not hold for /foo/x", "http://h/foo/x", "b0", "/foo", own=("P /foo/x b0", "P / b1")),
    _prohibited("/* is every path", "http://h/", "refused", "/*"),
    _agc(
        "how-to-multiple-site-hosting-ingress-api.md",
        "each host has its backend",
        (_alb("P / b0"), ing("P / b1", host="g", name="two")),
        "http://g/",
        "b1",
    ),
    _agc("how-to-ssl-offloading-ingress-api.md", "TLS ends there", (_alb("P / b0", tls=("h",)),), "https://h/", "b0"),
    _agc(
        "how-to-url-redirect-ingress-api.md",
        "an Ingress with TLS is not at port 80",
        (_alb("P / b0", tls=("h",)),),
        "http://h/",
        "refused",
    ),
    _agc(
        "how-to-url-redirect-ingress-api.md",
        "one without is not at port 443",
        (_alb("P / b0"),),
        "https://h/",
        "refused",
    ),
    _agc(
        "how-to-url-redirect-ingress-api.md",
        "two Ingresses, one for each",
        (_alb("P / b0", tls=("h",)), _alb("P / b1", name="two")),
        "http://h/",
        "b1",
    ),
    _agc(
        "migrate-from-agic-to-agc.md, Frontend port override",
        "another port is not supported",
        (_alb("P / b0"),),
        "http://h:8080/",
        "refused",
    ),
    _agc(
        "how-to-url-rewrite-ingress-api.md",
        "Prefix goes element by element",
        (_alb("P /shop b0"),),
        "http://h/shopping",
        "404",
    ),
    _agc(
        "how-to-url-rewrite-ingress-api.md",
        "an IngressExtension is named",
        (_alb("P / b0", alb_ingress_extension="rewrite"),),
        "http://h/",
        "unsupported: IngressExtension shop/rewrite",
    ),
    _agc(
        "how-to-url-rewrite-ingress-api.md",
        "it does not touch another Ingress",
        (_alb("P /shop b0", alb_ingress_extension="rewrite"), _alb("P / b1", name="two")),
        "http://h/x",
        "b1",
    ),
    _agc(
        "overview.md, Ingress API",
        "ImplementationSpecific is not decided",
        (_alb("I /shop b0"),),
        "http://h/shop/x",
        "unsupported: how alb.networking.azure.io/alb-controller reads",
    ),
    Row(
        f"{_AGC}/troubleshooting-guide.md",
        "a missing Service",
        (_alb("P / b0"),),
        "http://h/",
        "500",
        CONTAINERS,
        absent=("b0",),
    ),
    Row(
        f"{_AGC}/troubleshooting-guide.md",
        "no endpoint is ready",
        (_alb("P / b0"),),
        "http://h/",
        "500",
        CONTAINERS,
        unready=("b0",),
    ),
]
