"""ingress-nginx rows: which location takes a request (server names, expressions, duplicates, canaries, aliases)."""

from tests.oracles.around import APP_ROUTING
from tests.tables.rows import NEW, OLD, Row, ing

_GUIDE = "ingress-nginx docs/user-guide"
_PATHS = f"{_GUIDE}/ingress-path-matching.md"
_MARKS = f"{_GUIDE}/nginx-configuration/annotations.md"
_CANARY, _ALIAS, _WWW = f"{_MARKS}, Canary", f"{_MARKS}, Server Alias", f"{_MARKS}, Redirect from/to www"
_REWRITE = "ingress-nginx docs/examples/rewrite/README.md"
_WORK = "ingress-nginx docs/how-it-works.md, Building the NGINX model"
_CODE = "ingress-nginx internal/ingress/controller/controller.go"
_LUA = "ingress-nginx rootfs/etc/nginx/lua/balancer.lua"
_CORE = "nginx.org ngx_http_core_module, location"

_REGEX = {"use-regex": "true"}
_MAIN = ing("P / web")


def _canary(created: str = NEW, *, path: str = "P / next", **marks: str) -> dict[str, object]:
    return ing(
        path,
        name="two",
        created=created,
        marks={"canary": "true", **{k.replace("_", "-"): v for k, v in marks.items()}},
    )


def _share(name: str, expected: str, *headers: str, **marks: str) -> Row:
    return Row(_CANARY, name, (_MAIN, _canary(**marks)), "http://h/", expected, headers=headers)


# Paths that use-regex makes expressions, the request path, and the Service.
_EXPRESSIONS = [
    (("I /foo/bar b0", "I /foo/bar/[A-Z0-9]{3} b1", "I /foo/bar/bar b2", "I /foo/bar/.+ b3"), "/foo/bar/bar", "b1"),
    (("I /foo/bar b0", "I /foo/bar/.+ b1"), "/foo/bar/123", "b1"),
    (("I /foo/bar b0", "I /foo/bar/.+ b1"), "/foo/bar/", "b0"),
    (("I /foo/.* b0",), "/FOO/x", "b0"),
    (("I /foo b0",), "/foobar", "b0"),
    (("I /foo$ b0",), "/foobar", "404"),
    (("I /foo(/|$)(.*) b0",), "/foo", "b0"),
    (("I /foo(/|$)(.*) b0",), "/foobar", "404"),
    (("I /a|/b b0",), "/bc", "b0"),
    (("E /foo b0",), "/FOObar", "b0"),
    (("P /foo b0", "E /foo/bar b1"), "/foo/barx", "b1"),
    (("I /(?i:api) b0",), "/API", "b0"),
]

ROWS: list[Row] = [
    *(
        Row(
            f"{_PATHS}, Path priority",
            f"{', '.join(paths)} and {asked}",
            (ing(*paths, marks=_REGEX),),
            f"http://h{asked}",
            said,
        )
        for paths, asked, said in _EXPRESSIONS
    ),
    Row(
        f"{_PATHS}, Regular expression support",
        "use-regex of one Ingress makes expressions of another's paths",
        (ing("P /foo b0"), ing("I /bar.* b1", name="two", marks=_REGEX)),
        "http://h/FOObar",
        "b0",
    ),
    Row(
        f"{_PATHS}, Warning",
        "rewrite-target alone makes expressions of the host",
        (ing("E /foo b0"), ing("P /bar b1", name="two", marks={"rewrite-target": "/"})),
        "http://h/foobar",
        "b0",
    ),
    Row(
        f"{_PATHS}, Regular expression support",
        "use-regex of another host does not",
        (ing("E /foo b0"), ing("I /bar b1", host="g", name="two", marks=_REGEX)),
        "http://h/foobar",
        "404",
    ),
    Row(
        f"{_CODE}, createServers",
        "rewrite-target of the Ingress that opened the host counts for its location /",
        (ing("P /foo b0", marks={"rewrite-target": "/foo"}), ing("E /bar b1", name="two", created=NEW)),
        "http://h/BARx",
        "b1",
    ),
    Row(
        _PATHS,
        "an expression that could take long is not evaluated",
        (ing("I /(a+)+$ b0", marks=_REGEX),),
        "http://h/" + "a" * 40 + "!",
        "unsupported: regular expression /(a+)+$",
    ),
    Row(
        _PATHS,
        "an expression that cannot be read is not evaluated",
        (ing("I /(b b0", marks=_REGEX),),
        "http://h/b",
        "unsupported: regular expression /(b",
    ),
    Row(
        _PATHS,
        "an expression that cannot be read leaves another path alone",
        (ing("I /(b b0", "I /foo b1", marks=_REGEX),),
        "http://h/foo",
        "b1",
    ),
    Row(_CORE, "dots and slashes are resolved before paths are compared", (ing("E /b b0"),), "http://h/a/..//b", "b0"),
    Row(_CORE, "an escaped character is compared decoded", (ing("E /b b0"),), "http://h/%62", "b0"),
    Row(f"{_PATHS}, Path types", "ImplementationSpecific is a Prefix", (ing("I /foo b0"),), "http://h/foo/x", "b0"),
    Row(
        f"{_PATHS}, Path types",
        "ImplementationSpecific goes element by element",
        (ing("I /foo b0"),),
        "http://h/foobar",
        "404",
    ),
    Row(
        f"{_PATHS}, Path types",
        "ImplementationSpecific and Prefix are one location",
        (ing("I /foo b1", name="aa", created=NEW), ing("P /foo b0", name="zz")),
        "http://h/foo",
        "b0",
    ),
    Row(
        f"{_PATHS}, Path types",
        "ImplementationSpecific under application routing",
        (ing("I /foo b0"),),
        "http://h/foo/x",
        "b0",
        APP_ROUTING,
    ),
    Row(
        _WORK,
        "the older Ingress has the path",
        (ing("P / b1", name="aa", created=NEW), ing("P / b0", name="zz", created=OLD)),
        "http://h/",
        "b0",
    ),
    Row(
        "ingress-nginx internal/ingress/controller/store/store.go, sortIngressSlice",
        "of one second the name that sorts last",
        (ing("P / b1", name="aa"), ing("P / b0", name="zz")),
        "http://h/",
        "b0",
    ),
    Row(_WORK, "within an Ingress the first of two equal paths", (ing("P /x b0", "P /x b1"),), "http://h/x", "b0"),
    Row(
        f"{_CODE}, getBackendServers",
        "a path without a Service is skipped",
        (ing("P /x resource:icons", "P / b0"),),
        "http://h/x",
        "b0",
    ),
    Row(
        f"{_CODE}, getBackendServers",
        "a path without a Service, and nothing else",
        (ing("P /x resource:icons"),),
        "http://h/x",
        "404",
    ),
    Row(
        f"{_CODE}, createServers",
        "the first Ingress without rules has all other names",
        (ing(default="b0"), ing(default="b1", name="two", created=NEW)),
        "http://o/",
        "b0",
    ),
    Row(
        f"{_CODE}, createServers",
        "it has / of the rules without host too",
        (ing("P / b1", host=""), ing(default="b0", name="two", created=NEW)),
        "http://o/",
        "b0",
    ),
    Row(
        f"{_CODE}, createServers",
        "and other paths of those rules stay",
        (ing("P /x b1", host=""), ing(default="b0", name="two", created=NEW)),
        "http://o/x",
        "b1",
    ),
    Row(
        f"{_CODE}, createServers",
        "a default backend beside rules is not for other names",
        (ing("P /x b0", default="b1"),),
        "http://o/",
        "404",
    ),
    Row(
        f"{_CODE}, createServers",
        "the Ingress that opened the host gives its default backend",
        (ing("P /x b0"), ing("P /y b1", name="two", created=NEW, default="b2")),
        "http://h/z",
        "404",
    ),
    Row(
        "ingress-nginx internal/ingress/controller/template/template.go, buildServerName",
        "a wildcard takes one label",
        (ing("P / b0", host="*.foo.com"),),
        "http://a.b.foo.com/",
        "404",
    ),
    Row(
        _ALIAS,
        "an alias is served like its host",
        (ing("P / b0", marks={"server-alias": "b.com,c.com"}),),
        "http://c.com/",
        "b0",
    ),
    Row(
        _ALIAS,
        "an alias does not take a name that is a host",
        (ing("P / b0", marks={"server-alias": "c.com"}), ing("P / b1", host="c.com", name="two", created=NEW)),
        "http://c.com/",
        "b1",
    ),
    Row(
        _ALIAS,
        "only the first Ingress of a host that has aliases gives any",
        (
            ing("P / b0", marks={"server-alias": "b.com"}),
            ing("P /x b1", name="two", created=NEW, marks={"server-alias": "c.com"}),
        ),
        "http://c.com/",
        "404",
    ),
    Row(
        _ALIAS,
        "of two hosts with one alias the first by name",
        (
            ing("P / b1", host="z", marks={"server-alias": "c.com"}),
            ing("P / b0", host="a", name="two", created=NEW, marks={"server-alias": "c.com"}),
        ),
        "http://c.com/",
        "b0",
    ),
    Row(
        "nginx.org, Server names",
        "an alias with an asterisk takes several labels, and goes before an expression",
        (ing("P / b0", marks={"server-alias": "*.foo.com"}), ing("P / b1", host="*.b.foo.com", name="two")),
        "http://a.b.foo.com/",
        "b0",
    ),
    Row(
        _WWW,
        "www is sent to the bare name",
        (ing("P / b0", host="a.com", marks={"from-to-www-redirect": "true"}),),
        "http://www.a.com/x",
        "308",
    ),
    Row(
        _WWW,
        "the bare name is sent to www",
        (ing("P / b0", host="www.a.com", marks={"from-to-www-redirect": "true"}),),
        "http://a.com/x",
        "308",
    ),
    Row(
        _WWW,
        "not where the other name is a host",
        (
            ing("P / b0", host="a.com", marks={"from-to-www-redirect": "true"}),
            ing("P / b1", host="www.a.com", name="two"),
        ),
        "http://www.a.com/",
        "b1",
    ),
    Row(
        _WWW,
        "it goes before a wildcard",
        (
            ing("P / b0", host="a.com", marks={"from-to-www-redirect": "true"}),
            ing("P / b1", host="*.a.com", name="two"),
        ),
        "http://www.a.com/",
        "308",
    ),
    Row(
        _REWRITE,
        "the location with a group takes the path",
        (ing("I /api(/|$)(.*) b0", marks={"rewrite-target": "/$2", **_REGEX}),),
        "http://h/api/v1",
        "b0",
    ),
    Row(
        _REWRITE,
        "and nothing beside it",
        (ing("I /api(/|$)(.*) b0", marks={"rewrite-target": "/$2", **_REGEX}),),
        "http://h/apiv1",
        "404",
    ),
    _share("the weight is in per cent", "next 20 web 80", canary_weight="20"),
    _share("the weight of another total", "next 25 web 75", canary_weight="50", canary_weight_total="200"),
    _share("a weight of the whole total takes all", "next", canary_weight="100"),
    _share("a weight of zero takes nothing", "web", canary_weight="0"),
    _share("no weight takes nothing", "web"),
    _share("a header that says always", "next", "X-Try: always", canary_by_header="X-Try"),
    _share("a header that says never", "web", "X-Try: never", canary_by_header="X-Try", canary_weight="100"),
    _share(
        "a header of another value is ignored",
        "next 30 web 70",
        "X-Try: maybe",
        canary_by_header="X-Try",
        canary_weight="30",
    ),
    _share(
        "a header with the value that is asked for",
        "next",
        "X-Try: blue",
        canary_by_header="X-Try",
        canary_by_header_value="blue",
    ),
    _share(
        "always is no value where one is asked for",
        "web",
        "X-Try: always",
        canary_by_header="X-Try",
        canary_by_header_value="blue",
    ),
    _share(
        "a header that matches a pattern",
        "next",
        "X-Try: de-AT",
        canary_by_header="X-Try",
        canary_by_header_pattern="^de",
    ),
    _share(
        "a header that does not match the pattern",
        "web",
        "X-Try: fr",
        canary_by_header="X-Try",
        canary_by_header_pattern="^de",
    ),
    _share(
        "a value goes before a pattern",
        "web",
        "X-Try: de",
        canary_by_header="X-Try",
        canary_by_header_value="fr",
        canary_by_header_pattern="^de",
    ),
    _share("a cookie that says always", "next", "Cookie: a=b; try=always", canary_by_cookie="try"),
    _share("a cookie that says never", "web", "Cookie: try=never", canary_by_cookie="try", canary_weight="100"),
    _share(
        "a header goes before a cookie",
        "next",
        "X-Try: always",
        "Cookie: try=never",
        canary_by_header="X-Try",
        canary_by_cookie="try",
    ),
    _share("a cookie goes before the weight", "next", "Cookie: try=always", canary_by_cookie="try", canary_weight="1"),
    Row(
        f"{_LUA}, route_to_alternative_balancer",
        "a total below 100 is 100",
        (_MAIN, _canary(canary_weight="5", canary_weight_total="10")),
        "http://h/",
        "next 5 web 95",
    ),
    Row(
        f"{_LUA}, route_to_alternative_balancer",
        "a canary without endpoint takes nothing",
        (_MAIN, _canary(canary_weight="100")),
        "http://h/",
        "web",
        unready=("next",),
    ),
    Row(
        f"{_CODE}, mergeAlternativeBackends",
        "a canary without a main rule is nothing",
        (_canary(canary_weight="100"),),
        "http://h/",
        "404",
    ),
    Row(
        f"{_CODE}, mergeAlternativeBackends",
        "a canary of another path is nothing",
        (_MAIN, _canary(path="P /x next", canary_weight="100")),
        "http://h/x",
        "web",
    ),
    Row(
        f"{_CODE}, mergeAlternativeBackends",
        "a canary is the upstream's, on every path of that Service",
        (ing("P / web", "P /x web"), _canary(canary_weight="100")),
        "http://h/x",
        "next",
    ),
    Row(
        f"{_CANARY}, Known Limitations",
        "a second canary of a rule is nothing",
        (
            _MAIN,
            _canary(canary_weight="0"),
            ing("P / third", name="three", created=NEW, marks={"canary": "true", "canary-weight": "100"}),
        ),
        "http://h/",
        "web",
    ),
]
