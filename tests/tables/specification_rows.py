"""Ingress rows from the specification, under every controller that keeps to it, and what it leaves open."""

from tests.oracles.around import APP_ROUTING, CONTAINERS, NGINX, TRAEFIK, UNKNOWN_CONTROLLER
from tests.tables.rows import NEW, OLD, Row, ing

_DOC = "kubernetes.io/docs/concepts/services-networking/ingress"
_EXAMPLES, _MULTIPLE = f"{_DOC}, Examples", f"{_DOC}, Multiple matches"
_WILDCARDS, _DEFAULT = f"{_DOC}, Hostname wildcards", f"{_DOC}, DefaultBackend"
_RESOURCE, _TLS, _RULES = f"{_DOC}, Resource backends", f"{_DOC}, TLS", f"{_DOC}, Ingress rules"
_API = "networking.k8s.io/v1 HTTPIngressPath.pathType"

# pathType, path, request path, match.
_PATHS = [
    ("P", "/", "/", True),
    ("P", "/", "/any/path", True),
    ("E", "/foo", "/foo", True),
    ("E", "/foo", "/bar", False),
    ("E", "/foo", "/foo/", False),
    ("E", "/foo/", "/foo", False),
    ("P", "/foo", "/foo", True),
    ("P", "/foo", "/foo/", True),
    ("P", "/foo/", "/foo", True),
    ("P", "/foo/", "/foo/", True),
    ("P", "/aaa/bb", "/aaa/bbb", False),
    ("P", "/aaa/bbb", "/aaa/bbb", True),
    ("P", "/aaa/bbb/", "/aaa/bbb", True),
    ("P", "/aaa/bbb", "/aaa/bbb/", True),
    ("P", "/aaa/bbb", "/aaa/bbb/ccc", True),
    ("P", "/aaa/bbb", "/aaa/bbbxyz", False),
    ("P", "/aaa", "/ccc", False),
    ("P", "/Foo", "/foo", False),
    ("E", "/Foo", "/foo", False),
    ("E", "/", "/", True),
    ("E", "/", "/x", False),
    ("P", "/foo", "/foo?q=/bar", True),
    ("E", "/foo", "/foo?q=1", True),
]

# Several paths of one host, the request path, and the Service that takes it.
_PRECEDENCE = [
    (("P / b0", "P /aaa b1"), "/aaa/ccc", "b1"),
    (("P / b0", "P /aaa b1", "P /aaa/bbb b2"), "/aaa/bbb", "b2"),
    (("P / b0", "P /aaa b1", "P /aaa/bbb b2"), "/aaa/bb", "b1"),
    (("P / b0", "P /aaa b1", "P /aaa/bbb b2"), "/ccc", "b0"),
    (("P /foo b0", "E /foo b1"), "/foo", "b1"),
    (("E /foo b0", "P /foo b1"), "/foo/", "b1"),
    (("P /a b0", "P /a/b/c b1", "P /a/b b2"), "/a/b/c/d", "b1"),
    (("P /a b0", "P /a/b/c b1", "P /a/b b2"), "/a/b/cd", "b2"),
    (("P /x b0", "P / b1"), "/xy", "b1"),
]

# Host of the rule, host of the request, match.
_HOSTS = [
    ("*.foo.com", "bar.foo.com", True),
    ("*.foo.com", "baz.bar.foo.com", False),
    ("*.foo.com", "foo.com", False),
    ("foo.bar.com", "foo.bar.com", True),
    ("foo.bar.com", "FOO.bar.com", True),
    ("foo.bar.com", "bar.com", False),
    ("", "anything.at.all", True),
]

_KEEPING = (NGINX, APP_ROUTING, UNKNOWN_CONTROLLER, TRAEFIK)
_OPEN = "unsupported: how example.com/ingress reads ImplementationSpecific path"

ROWS: list[Row] = [
    *(
        Row(_EXAMPLES, f"{kind} {path} and {asked}", (ing(f"{kind} {path} b0"),), f"http://h{asked}", said, where)
        for where in (NGINX, UNKNOWN_CONTROLLER)
        for kind, path, asked, match in _PATHS
        for said in ["b0" if match else "404"]
    ),
    *(
        Row(_MULTIPLE, f"{', '.join(paths)} and {asked}", (ing(*paths),), f"http://h{asked}", said, where)
        for where in (NGINX, UNKNOWN_CONTROLLER, CONTAINERS)
        for paths, asked, said in _PRECEDENCE
    ),
    *(
        Row(
            _WILDCARDS, f"{host or 'no host'} and {asked}", (ing("P / b0", host=host),), f"http://{asked}/", said, where
        )
        for where in _KEEPING
        for host, asked, match in _HOSTS
        for said in ["b0" if match else "404"]
    ),
    *(
        row
        for where in _KEEPING
        for empty in ["404" if where == TRAEFIK else "503"]
        for row in (
            Row(
                _WILDCARDS,
                "an exact host goes before a wildcard, whatever its paths",
                (ing("P / b0", host="*.foo.com"), ing("P /x b1", host="a.foo.com", name="two")),
                "http://a.foo.com/y",
                "404",
                where,
            ),
            Row(
                _WILDCARDS,
                "a wildcard goes before a rule without host",
                (ing("P / b0", host=""), ing("P / b1", host="*.foo.com", name="two")),
                "http://a.foo.com/",
                "b1",
                where,
            ),
            Row(
                _RULES,
                "paths of two Ingresses of one host are one table",
                (ing("P / b0"), ing("P /x b1", name="two")),
                "http://h/x",
                "b1",
                where,
            ),
            Row(
                _DEFAULT,
                "an Ingress without rules sends everything to its default backend",
                (ing(default="spare"),),
                "http://any.name/x",
                "spare",
                where,
            ),
            Row(
                _DEFAULT,
                "a host that no rule has goes to the default backend",
                (ing("P / b0"), ing(default="spare", name="two")),
                "http://other/",
                "spare",
                where,
            ),
            Row(
                _DEFAULT,
                "without a default backend it is the controller's 404",
                (ing("P / b0"),),
                "http://o/",
                "404",
                where,
            ),
            Row(
                _DEFAULT,
                "a path that no rule has goes to the Ingress's own default backend",
                (ing("P /x b0", default="spare"),),
                "http://h/y",
                "spare",
                where,
            ),
            Row(_TLS, "TLS ends at the controller", (ing("P / b0", tls=("h",)),), "https://h/", "b0", where),
            Row(
                _TLS,
                "a TLS section for another host does not keep a request away",
                (ing("P / b0", tls=("other",), marks={"ssl-redirect": "false"}),),
                "http://h/",
                "b0",
                where,
            ),
            Row(_RULES, "a port by name", (ing("P / b0:http"),), "http://h/", "b0", where),
            Row(_RULES, "a missing Service", (ing("P / gone"),), "http://h/", empty, where, absent=("gone",)),
            Row(_RULES, "no endpoint is ready", (ing("P / b0"),), "http://h/", empty, where, unready=("b0",)),
            Row(_RULES, "a port name that the Service has not", (ing("P / b0:admin"),), "http://h/", empty, where),
            Row(_RULES, "a port number that the Service has not", (ing("P / b0:81"),), "http://h/", empty, where),
        )
    ),
    Row(
        _RESOURCE,
        "a resource backend is for its controller to know",
        (ing("P /icons resource:icons"),),
        "http://h/icons",
        "unsupported: Ingress resource backend StorageBucket icons",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _RESOURCE,
        "a resource backend does not touch another path",
        (ing("P /icons resource:icons", "P / b0"),),
        "http://h/x",
        "b0",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _API,
        "ImplementationSpecific and the very same path",
        (ing("I /foo b0"),),
        "http://h/foo",
        "b0",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _API,
        "ImplementationSpecific and a path below it",
        (ing("I /foo b0"),),
        "http://h/foo/x",
        _OPEN,
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _API,
        "ImplementationSpecific and the same characters",
        (ing("I /foo b0"),),
        "http://h/foobar",
        _OPEN,
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _API, "ImplementationSpecific and another path", (ing("I /foo b0"),), "http://h/bar", "404", UNKNOWN_CONTROLLER
    ),
    Row(
        _API,
        "ImplementationSpecific with an expression may match",
        (ing("I /foo/.* b0", "P / b1"),),
        "http://h/foo/x",
        _OPEN,
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _API,
        "ImplementationSpecific that is shorter does not matter",
        (ing("I / b0", "P /foo b1"),),
        "http://h/foo/x",
        "b1",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _API,
        "ImplementationSpecific does not go before Exact",
        (ing("I /foo.* b0", "E /foo/x b1"),),
        "http://h/foo/x",
        "b1",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        _API,
        "ImplementationSpecific of Traefik",
        (ing("I /foo b0"),),
        "http://h/foo/x",
        "unsupported: how traefik.io/ingress-controller reads ImplementationSpecific",
        TRAEFIK,
    ),
    Row(
        f"{_DOC}, The Ingress resource",
        "of two Ingresses with one host and path the older one has it",
        (ing("P / b1", name="aa", created=NEW), ing("P / b0", name="zz", created=OLD)),
        "http://h/",
        "b0",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        f"{_DOC}, Deprecated annotation",
        "the annotation names the class",
        (ing("P / b0", marks={"kubernetes.io/ingress.class": "front"}),),
        "http://h/",
        "b0",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        "ingress-nginx internal/ingress/controller/store/store.go, GetIngressClass",
        "nginx by annotation needs no IngressClass of that name",
        (ing("P / b0", marks={"kubernetes.io/ingress.class": "nginx"}),),
        "http://h/",
        "b0",
        NGINX,
    ),
    Row(
        f"{_DOC}, Ingress class",
        "an Ingress of a class that does not exist is not served",
        (ing("P / b0"), ing("P / b1", host="g", name="two", cls="nobody")),
        "http://g/",
        "404",
        UNKNOWN_CONTROLLER,
    ),
    Row(
        "doc.traefik.io providers/kubernetes-ingress, strictPrefixMatching",
        "a Prefix may go by characters",
        (ing("P /foo b0"),),
        "http://h/foobar",
        "unsupported: how traefik.io/ingress-controller reads Prefix path /foo",
        TRAEFIK,
    ),
    Row(
        "doc.traefik.io providers/kubernetes-ingress, strictPrefixMatching",
        "a path below the Prefix is its own either way",
        (ing("P /foo b0"),),
        "http://h/foo/x",
        "b0",
        TRAEFIK,
    ),
    Row(
        "doc.traefik.io providers/kubernetes-ingress, strictPrefixMatching",
        "a longer Prefix decides either way",
        (ing("P /foo b0", "P /foobar b1"),),
        "http://h/foobar/x",
        "b1",
        TRAEFIK,
    ),
]
