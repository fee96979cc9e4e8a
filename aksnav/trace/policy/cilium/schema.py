"""The form of a rule set, as the CustomResourceDefinitions have it: which field holds a list, an object, a text.

The API server holds objects to it; a capture need not. Fields that are not listed here are looked at where they decide.
"""

from typing import Any

import msgspec

Object = dict[str, Any]


class _Port(msgspec.Struct, rename="camel"):
    port: str | int = ""
    protocol: str = "ANY"
    end_port: int = 0


class _HeaderMatch(msgspec.Struct):
    name: str = ""
    value: str = ""
    mismatch: str = ""
    secret: Object = {}


class _Http(msgspec.Struct, rename="camel"):
    method: str = ""
    path: str = ""
    host: str = ""
    headers: list[str] = []
    header_matches: list[_HeaderMatch] = []


class _Name(msgspec.Struct, rename="camel"):
    match_name: str = ""
    match_pattern: str = ""


class _Rules(msgspec.Struct):
    http: list[_Http] = []
    dns: list[_Name] = []
    kafka: list[Object] = []
    l7: list[Object] = []
    l7proto: str = ""


class _ToPorts(msgspec.Struct, rename="camel"):
    ports: list[_Port] = []
    rules: _Rules | None = None
    server_names: list[str] = []


class _Type(msgspec.Struct):
    type: int | str
    family: str = "IPv4"


class _Icmp(msgspec.Struct):
    fields: list[_Type] = []


class _Authentication(msgspec.Struct):
    mode: str


class _Rule(msgspec.Struct, rename="camel"):
    to_ports: list[_ToPorts] = []
    icmps: list[_Icmp] = []
    authentication: _Authentication | None = None
    to_services: list[Object] = []
    to_fqdns: list[_Name] = msgspec.field(name="toFQDNs", default_factory=list)


class _DefaultDeny(msgspec.Struct):
    ingress: bool | None = None
    egress: bool | None = None


class _Spec(msgspec.Struct, rename="camel"):
    endpoint_selector: Object | None = None
    node_selector: Object | None = None
    ingress: list[_Rule] = []
    egress: list[_Rule] = []
    ingress_deny: list[_Rule] = []
    egress_deny: list[_Rule] = []
    enable_default_deny: _DefaultDeny | None = None


def misshapen(spec: Object) -> str:
    """Return which field of a rule set has not the form that it must have, or an empty string."""
    try:
        msgspec.convert(spec, _Spec)
    except msgspec.ValidationError as error:
        told, _, path = str(error).partition(" - at `$")
        return f"{path.rstrip('`')}: {told}".removeprefix(": ")
    return ""
