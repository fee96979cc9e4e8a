"""ingress-nginx rows: what happens between the location and the Pod (redirects, lists, errors, what is named)."""

from tests.oracles.around import APP_ROUTING, Wire
from tests.tables.rows import NEW, Row, ing

_MARKS = "ingress-nginx docs/user-guide/nginx-configuration/annotations.md"
_HTTPS, _TEMPLATE = f"{_MARKS}, Server-side HTTPS enforcement", "ingress-nginx rootfs/etc/nginx/template/nginx.tmpl"
_PERMANENT, _TEMPORAL = f"{_MARKS}, Permanent Redirect", f"{_MARKS}, Temporal Redirect"
_LISTS, _ERRORS = f"{_MARKS}, Whitelist source range", f"{_MARKS}, Custom HTTP Errors"
_SPARE, _ROOT = f"{_MARKS}, Default Backend", f"{_MARKS}, Rewrite"
_LUA = "ingress-nginx rootfs/etc/nginx/lua/lua_ingress.lua, redirect_to_https"
_CODE = "ingress-nginx internal/ingress/controller/controller.go"
_CONFIG = "ingress-nginx docs/user-guide/nginx-configuration/configmap.md"
_REDIRECT = "ingress-nginx internal/ingress/annotations/redirect/redirect.go"
_PREFIX = "unsupported: annotation nginx.ingress.kubernetes.io/"


def _marked(section: str, name: str, expected: str, url: str = "http://h/", **marks: str) -> Row:
    annotations = {key.replace("_", "-"): value for key, value in marks.items()}
    return Row(section, name, (ing("P / b0", marks=annotations),), url, expected)


def _not_modelled(name: str, value: str, url: str = "http://h/") -> Row:
    return Row(_MARKS, f"{name} is named", (ing("P / b0", marks={name: value}),), url, f"{_PREFIX}{name}")


_META = {"name": "errors", "namespace": "ingress-nginx"}
_CHART: tuple[Wire, ...] = (
    {
        "kind": "Service",
        "metadata": {**_META, "labels": {"app.kubernetes.io/component": "default-backend"}},
        "spec": {"clusterIP": "10.0.2.1", "selector": {"app": "errors"}, "ports": [{"port": 80, "targetPort": 8080}]},
    },
    {
        "kind": "Pod",
        "metadata": {**_META, "labels": {"app": "errors"}},
        "spec": {"nodeName": "node-a", "containers": [{"name": "c", "ports": [{"containerPort": 8080}]}]},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": "10.244.2.1"}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    },
    {
        "kind": "EndpointSlice",
        "metadata": {**_META, "labels": {"kubernetes.io/service-name": "errors"}},
        "addressType": "IPv4",
        "ports": [{"port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": ["10.244.2.1"],
                "conditions": {"ready": True},
                "targetRef": {"kind": "Pod", "namespace": "ingress-nginx", "name": "errors"},
            }
        ],
    },
)

ROWS: list[Row] = [
    Row(_HTTPS, "http is redirected where the host has TLS", (ing("P / b0", tls=("h",)),), "http://h/x", "308"),
    Row(_HTTPS, "under application routing too", (ing("P / b0", tls=("h",)),), "http://h/x", "308", APP_ROUTING),
    Row(_HTTPS, "https is not", (ing("P / b0", tls=("h",)),), "https://h/x", "b0"),
    Row(_HTTPS, "ssl-redirect false", (ing("P / b0", tls=("h",), marks={"ssl-redirect": "false"}),), "http://h/", "b0"),
    Row(
        _HTTPS,
        "TLS of another Ingress of the host counts",
        (ing("P / b0"), ing("P /y b1", name="two", tls=("h",))),
        "http://h/x",
        "308",
    ),
    Row(
        _LUA,
        "TLS of the wildcard counts for a host of its own",
        (ing("P / b0", host="a.foo.com"), ing("P / b1", host="*.foo.com", name="two", tls=("*.foo.com",))),
        "http://a.foo.com/",
        "308",
    ),
    Row(_LUA, "a rule for every host has no certificate", (ing("P / b0", host="", tls=()),), "http://h/", "b0"),
    Row(
        _HTTPS,
        "a section that does not name the host gives it the default certificate",
        (ing("P / b0", tls=("other",)),),
        "http://h/",
        "308",
    ),
    _marked(_HTTPS, "force-ssl-redirect without TLS", "308", force_ssl_redirect="true"),
    _marked(_HTTPS, "force-ssl-redirect of https", "b0", "https://h/", force_ssl_redirect="true"),
    Row(
        f"{_CONFIG}, no-tls-redirect-locations",
        "a challenge is not redirected",
        (ing("P /.well-known/acme-challenge b0", tls=("h",)),),
        "http://h/.well-known/acme-challenge/x",
        "b0",
    ),
    Row(
        f"{_CODE}, createServers",
        "a path that no rule has is redirected first, as the host has TLS",
        (ing("P /x b0", tls=("h",)),),
        "http://h/y",
        "308",
    ),
    Row(f"{_CODE}, createServers", "and is a 404 with https", (ing("P /x b0", tls=("h",)),), "https://h/y", "404"),
    Row(
        f"{_CODE}, createServers",
        "annotations of the Ingress that opened the host hold there",
        (ing("P /x b0", marks={"permanent-redirect": "https://b.com"}),),
        "http://h/y",
        "301",
    ),
    Row(
        f"{_CODE}, createServers",
        "those of a later Ingress do not",
        (ing("P /x b0"), ing("P /y b1", name="two", created=NEW, marks={"permanent-redirect": "https://b.com"})),
        "http://h/z",
        "404",
    ),
    Row(
        f"{_CODE}, createServers",
        "redirects do not hold for all other names",
        (ing(default="b0", marks={"permanent-redirect": "https://b.com"}),),
        "http://o/",
        "b0",
    ),
    Row(
        f"{_CODE}, createServers",
        "address lists do",
        (ing(default="b0", marks={"whitelist-source-range": "192.0.2.0/24"}),),
        "http://o/",
        "403",
    ),
    _marked(_PERMANENT, "301", "301", permanent_redirect="https://b.com"),
    _marked(
        f"{_PERMANENT} Code", "another code", "308", permanent_redirect="https://b.com", permanent_redirect_code="308"
    ),
    _marked(
        _REDIRECT,
        "a code that is no redirect is 301",
        "301",
        permanent_redirect="https://b.com",
        permanent_redirect_code="404",
    ),
    _marked(_REDIRECT, "a target that is no URL is ignored", "b0", permanent_redirect="/elsewhere"),
    _marked(_TEMPORAL, "302", "302", temporal_redirect="https://b.com"),
    _marked(
        _REDIRECT,
        "temporal before permanent",
        "302",
        temporal_redirect="https://b.com",
        permanent_redirect="https://c.com",
    ),
    _marked(_ROOT, "app-root", "302", app_root="/start"),
    _marked(_ROOT, "app-root is for / alone", "b0", "http://h/x", app_root="/start"),
    Row(
        _TEMPLATE,
        "app-root of any Ingress of the host is for the host",
        (ing("P / b0"), ing("P /x b1", name="two", created=NEW, marks={"app-root": "/x"})),
        "http://h/",
        "302",
    ),
    Row(
        _TEMPLATE,
        "its own redirect goes before the one to https",
        (ing("P / b0", tls=("h",), marks={"permanent-redirect": "https://b.com"}),),
        "http://h/",
        "301",
    ),
    Row(
        _TEMPLATE,
        "the redirect to https goes before address lists",
        (ing("P / b0", tls=("h",), marks={"whitelist-source-range": "192.0.2.0/24"}),),
        "http://h/",
        "308",
    ),
    Row(
        f"{_MARKS}, Enable CORS",
        "a preflight is answered",
        (ing("P / b0", marks={"enable-cors": "true"}),),
        "http://h/",
        "204",
        method="OPTIONS",
    ),
    Row(
        _TEMPLATE,
        "a preflight goes before the redirect to https",
        (ing("P / b0", tls=("h",), marks={"enable-cors": "true"}),),
        "http://h/",
        "204",
        method="OPTIONS",
    ),
    Row(
        f"{_MARKS}, Enable CORS",
        "another method is not",
        (ing("P / b0", marks={"enable-cors": "true"}),),
        "http://h/",
        "b0",
    ),
    _marked(_LISTS, "an address in the list", "b0", whitelist_source_range="10.244.0.0/24"),
    _marked(_LISTS, "an address outside of it", "403", whitelist_source_range="192.0.2.0/24,198.51.100.7"),
    _marked(_LISTS, "the new name of the list", "403", allowlist_source_range="192.0.2.0/24"),
    _marked(f"{_MARKS}, Denylist source range", "an address in the list", "403", denylist_source_range="10.244.0.0/24"),
    _marked(f"{_MARKS}, Denylist source range", "an address outside of it", "b0", denylist_source_range="192.0.2.0/24"),
    _marked(
        "ingress-nginx internal/ingress/annotations/ipallowlist/main.go",
        "a list that cannot be read denies everybody",
        "503",
        whitelist_source_range="10.244.0.0/24,ww",
    ),
    Row(
        f"{_MARKS}, Satisfy",
        "any: the list does not decide alone",
        (ing("P / b0", marks={"satisfy": "any", "auth-type": "basic", "whitelist-source-range": "192.0.2.0/24"}),),
        "http://h/",
        f"{_PREFIX}auth-type",
    ),
    Row(
        f"{_MARKS}, Satisfy",
        "all: the list is enough to refuse",
        (ing("P / b0", marks={"auth-type": "basic", "whitelist-source-range": "192.0.2.0/24"}),),
        "http://h/",
        "403",
    ),
    Row(
        _ERRORS,
        "503 goes to the controller's default backend: 404",
        (ing("P / b0", marks={"custom-http-errors": "404,503"}),),
        "http://h/",
        "404",
        unready=("b0",),
    ),
    Row(
        _ERRORS,
        "a missing Service as well",
        (ing("P / b0", marks={"custom-http-errors": "503"}),),
        "http://h/",
        "404",
        absent=("b0",),
    ),
    Row(
        _ERRORS,
        "another code does not",
        (ing("P / b0", marks={"custom-http-errors": "404"}),),
        "http://h/",
        "503",
        unready=("b0",),
    ),
    Row(
        _ERRORS,
        "with default-backend its Service answers",
        (ing("P / b0", marks={"custom-http-errors": "503", "default-backend": "spare"}),),
        "http://h/",
        "spare",
        unready=("b0",),
        services={"spare": {}},
    ),
    Row(
        _SPARE,
        "it takes over where no endpoint is ready",
        (ing("P / b0", marks={"default-backend": "spare"}),),
        "http://h/",
        "spare",
        unready=("b0",),
        services={"spare": {}},
    ),
    Row(
        _SPARE,
        "it does not where one is",
        (ing("P / b0", marks={"default-backend": "spare"}),),
        "http://h/",
        "b0",
        services={"spare": {}},
    ),
    Row(
        f"{_CODE}, getBackendServers",
        "it does not without an endpoint of its own",
        (ing("P / b0", marks={"default-backend": "spare"}),),
        "http://h/",
        "503",
        unready=("b0", "spare"),
        services={"spare": {}},
    ),
    Row(
        f"{_CODE}, serviceEndpoints",
        "a targetPort is taken for the port",
        (ing("P / b0:9090"),),
        "http://h/",
        "503",
        services={"b0": {"ports": [{"name": "x", "port": 80, "protocol": "TCP", "targetPort": 9090}]}},
    ),
    _marked(f"{_MARKS}, Service Upstream", "the cluster address is used", "b0", service_upstream="true"),
    _marked(
        f"{_MARKS}, Mirror",
        "a copy does not change where the request goes",
        "b0",
        mirror_target="http://copy.example.com$request_uri",
    ),
    _marked(f"{_MARKS}, Rate Limiting", "limits do not change where the request goes", "b0", limit_rps="5"),
    _marked(f"{_MARKS}, Backend Protocol", "HTTPS", "b0", backend_protocol="HTTPS"),
    _marked(f"{_MARKS}, Backend Protocol", "GRPC", "b0", backend_protocol="GRPC"),
    _marked(f"{_MARKS}, Backend Protocol", "AUTO_HTTP", "b0", backend_protocol="AUTO_HTTP"),
    _marked(f"{_MARKS}, Backend Protocol", "FCGI is named", f"{_PREFIX}backend-protocol", backend_protocol="FCGI"),
    _not_modelled("auth-url", "https://auth.example.com"),
    _not_modelled("auth-type", "basic"),
    _not_modelled("configuration-snippet", "return 418;"),
    _not_modelled("server-snippet", "return 418;"),
    _not_modelled("enable-modsecurity", "true"),
    _not_modelled("auth-tls-secret", "shop/ca", "https://h/"),
    _not_modelled("ssl-passthrough", "true", "https://h/"),
    _marked(f"{_MARKS}, SSL Passthrough", "plain HTTP is not passed through", "b0", ssl_passthrough="true"),
    Row(
        f"{_CONFIG}, no-auth-locations",
        "a challenge needs no authentication",
        (ing("P /.well-known/acme-challenge b0", marks={"auth-type": "basic"}),),
        "http://h/.well-known/acme-challenge/x",
        "b0",
    ),
    Row(
        _TEMPLATE,
        "a server snippet of another Ingress of the host counts",
        (ing("P / b0"), ing("P /x b1", name="two", created=NEW, marks={"server-snippet": "return 418;"})),
        "http://h/",
        f"{_PREFIX}server-snippet",
    ),
    Row(f"{_MARKS}, TLS", "plain HTTP to the HTTPS port", (ing("P / b0"),), "http://h:443/", "400"),
    Row(f"{_MARKS}, TLS", "TLS to the HTTP port", (ing("P / b0"),), "https://h:80/", "refused"),
    Row(
        "ingress-nginx docs/user-guide/default-backend.md",
        "the Service of the chart takes what no rule does",
        (ing("P / b0"),),
        "http://o/",
        "errors",
        objects=_CHART,
    ),
    Row(
        f"{_ERRORS}",
        "and the errors that it is given",
        (ing("P / b0", marks={"custom-http-errors": "503"}),),
        "http://h/",
        "errors",
        unready=("b0",),
        objects=_CHART,
    ),
]
