"""Istio's kinds of security.istio.io (v1, v1beta1): who may ask, with which certificate, and with which token.

Source: Istio reference, "Security" (istio/api: security/v1beta1).
"""

from typing import Any, ClassVar

import msgspec

from aksnav.model.kubernetes.istio import PolicyTargetRef, WorkloadSelector
from aksnav.model.object import KubernetesObject

SECURITY = "security.istio.io"


class AuthSource(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Who asks: every field that is given must hold, of a field one value. ``unmodelled``: names of further fields."""

    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    request_principals: tuple[str, ...] = ()
    not_request_principals: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    not_service_accounts: tuple[str, ...] = ()
    ip_blocks: tuple[str, ...] = ()
    not_ip_blocks: tuple[str, ...] = ()
    remote_ip_blocks: tuple[str, ...] = ()
    not_remote_ip_blocks: tuple[str, ...] = ()
    unmodelled: tuple[str, ...] = ()


class AuthFrom(msgspec.Struct, frozen=True, gc=False):
    """One entry of ``from``."""

    source: AuthSource = AuthSource()


class AuthOperation(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What is asked for. ``unmodelled``: names of further fields."""

    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    not_ports: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()
    unmodelled: tuple[str, ...] = ()


class AuthTo(msgspec.Struct, frozen=True, gc=False):
    """One entry of ``to``."""

    operation: AuthOperation = AuthOperation()


class AuthRule(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One rule; ``when`` in wire form."""

    from_: tuple[AuthFrom, ...] = msgspec.field(name="from", default=())
    to: tuple[AuthTo, ...] = ()
    when: tuple[dict[str, Any], ...] = ()


class AuthorizationPolicy(KubernetesObject, kw_only=True, gc=False):
    """Who may ask what of workloads: action ALLOW, DENY, CUSTOM or AUDIT."""

    KIND: ClassVar[str] = "AuthorizationPolicy"

    action: str = "ALLOW"
    selector: WorkloadSelector | None = None
    target_refs: tuple[PolicyTargetRef, ...] = ()
    target_ref: PolicyTargetRef | None = None
    rules: tuple[AuthRule, ...] = ()
    provider: dict[str, Any] = {}


class MutualTLS(msgspec.Struct, frozen=True, gc=False):
    """Mode UNSET, DISABLE, PERMISSIVE or STRICT."""

    mode: str = "UNSET"


class PeerAuthentication(KubernetesObject, kw_only=True, gc=False):
    """Which connections the sidecars of workloads take: with mutual TLS, without, or both."""

    KIND: ClassVar[str] = "PeerAuthentication"

    selector: WorkloadSelector | None = None
    mtls: MutualTLS | None = None
    port_level_mtls: dict[str, MutualTLS] = {}


class JWTHeader(msgspec.Struct, frozen=True, gc=False):
    """A header that may carry a token, behind a prefix."""

    name: str = ""
    prefix: str = ""


class JWTRule(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One issuer of tokens, and where requests carry them; empty: as bearer in Authorization, or in access_token."""

    issuer: str = ""
    from_headers: tuple[JWTHeader, ...] = ()
    from_params: tuple[str, ...] = ()
    from_cookies: tuple[str, ...] = ()


class RequestAuthentication(KubernetesObject, kw_only=True, gc=False):
    """Which tokens the proxies of workloads check; a request without a token passes it."""

    KIND: ClassVar[str] = "RequestAuthentication"

    selector: WorkloadSelector | None = None
    target_refs: tuple[PolicyTargetRef, ...] = ()
    target_ref: PolicyTargetRef | None = None
    jwt_rules: tuple[JWTRule, ...] = ()
