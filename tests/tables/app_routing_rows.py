"""Rows of the application routing add-on: its classes, and what an NginxIngressController changes."""

from typing import Any

from tests.oracles.around import APP_ROUTING, Wire
from tests.tables.rows import Row, ing

_DOC = "MicrosoftDocs aks/app-routing-nginx-configuration.md"
_START = "MicrosoftDocs aks/app-routing.md"
_TYPES = "aks-app-routing-operator api/v1alpha1/nginxingresscontroller_types.go"
_CODE = "ingress-nginx internal/ingress/controller/controller.go"
_PREFIX = "unsupported: annotation nginx.ingress.kubernetes.io/"
_USUAL = "webapprouting.kubernetes.azure.com"


def _class(name: str, controller: str) -> Wire:
    return {"kind": "IngressClass", "metadata": {"name": name}, "spec": {"controller": controller}}


def _told(cls: str = "front", **spec: Any) -> Wire:
    return {
        "kind": "NginxIngressController",
        "metadata": {"name": "default"},
        "spec": {"ingressClassName": cls, **spec},
    }


def _row(
    section: str,
    name: str,
    ingresses: tuple[Wire, ...],
    url: str,
    expected: str,
    *objects: Wire,
    unready: tuple[str, ...] = (),
    absent: tuple[str, ...] = (),
) -> Row:
    services: dict[str, Wire] = {"spare": {}}
    return Row(
        section,
        name,
        ingresses,
        url,
        expected,
        APP_ROUTING,
        objects=objects,
        services=services,
        unready=unready,
        absent=absent,
    )


_SPARE = {"namespace": "shop", "name": "spare"}
_BACKEND, _ERRORS = f"{_DOC}, defaultBackendService", f"{_DOC}, customHTTPErrors"
_CERTIFICATE, _PASS = f"{_DOC}, defaultSSLCertificate", f"{_TYPES}, enableSSLPassthrough"
_FORCED = _told(defaultSSLCertificate={"secret": {"name": "c", "namespace": "shop"}, "forceSSLRedirect": True})

ROWS: list[Row] = [
    _row(_START, "its usual class", (ing("P / b0", cls=_USUAL),), "http://h/", "b0", _class(_USUAL, APP_ROUTING)),
    _row(
        _DOC,
        "the class of another controller is not served here",
        (ing("P / b0"), ing("P / b1", host="g", name="two", cls="internal")),
        "http://g/",
        "404",
        _class("internal", "approuting.kubernetes.azure.com/internal"),
    ),
    _row(
        _BACKEND, "a name that no rule has", (ing("P / b0"),), "http://o/", "spare", _told(defaultBackendService=_SPARE)
    ),
    _row(
        _BACKEND,
        "a path that no rule has",
        (ing("P /x b0"),),
        "http://h/y",
        "spare",
        _told(defaultBackendService=_SPARE),
    ),
    _row(
        _BACKEND,
        "the default backend of the Ingress goes before it",
        (ing("P /x b0", default="b1"),),
        "http://h/y",
        "b1",
        _told(defaultBackendService=_SPARE),
    ),
    _row(
        f"{_CODE}, getDefaultUpstream",
        "without an endpoint it is the 404 of NGINX",
        (ing("P / b0"),),
        "http://o/",
        "404",
        _told(defaultBackendService=_SPARE),
        unready=("spare",),
    ),
    _row(
        f"{_CODE}, getDefaultUpstream",
        "a Service that is missing as well",
        (ing("P / b0"),),
        "http://o/",
        "404",
        _told(defaultBackendService=_SPARE),
        absent=("spare",),
    ),
    _row(
        _BACKEND,
        "that of another controller does not count",
        (ing("P / b0"),),
        "http://o/",
        "404",
        _told("internal", defaultBackendService=_SPARE),
    ),
    _row(
        _ERRORS,
        "503 goes to the default backend",
        (ing("P / b0"),),
        "http://h/",
        "spare",
        _told(defaultBackendService=_SPARE, customHTTPErrors=[404, 503]),
        unready=("b0",),
    ),
    _row(
        _ERRORS,
        "without one it is the 404 of NGINX",
        (ing("P / b0"),),
        "http://h/",
        "404",
        _told(customHTTPErrors=[503]),
        unready=("b0",),
    ),
    _row(
        "ingress-nginx docs/user-guide/nginx-configuration/annotations.md, Custom HTTP Errors",
        "the annotation goes before it",
        (ing("P / b0", marks={"custom-http-errors": "404"}),),
        "http://h/",
        "503",
        _told(defaultBackendService=_SPARE, customHTTPErrors=[503]),
        unready=("b0",),
    ),
    _row(_CERTIFICATE, "forceSSLRedirect", (ing("P / b0"),), "http://h/", "308", _FORCED),
    _row(_CERTIFICATE, "forceSSLRedirect and https", (ing("P / b0"),), "https://h/", "b0", _FORCED),
    _row(
        _CERTIFICATE,
        "an annotation that says otherwise",
        (ing("P / b0", marks={"force-ssl-redirect": "false"}),),
        "http://h/",
        "b0",
        _FORCED,
    ),
    _row(
        _PASS,
        "without it ssl-passthrough has no effect",
        (ing("P / b0", marks={"ssl-passthrough": "true"}),),
        "https://h/",
        "b0",
        _told(),
    ),
    _row(
        _PASS,
        "with it the annotation is named",
        (ing("P / b0", marks={"ssl-passthrough": "true"}),),
        "https://h/",
        f"{_PREFIX}ssl-passthrough",
        _told(enableSSLPassthrough=True),
    ),
]
