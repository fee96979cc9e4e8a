"""Ingress and IngressClass (networking.k8s.io/v1)."""

from typing import ClassVar

import msgspec

from aksnav.model.kubernetes.service import IngressPoint, ServiceStatus
from aksnav.model.object import KubernetesObject


class BackendPort(msgspec.Struct, frozen=True, gc=False):
    """A Service port by number or by name; one of the two is set."""

    number: int = 0
    name: str = ""

    def __str__(self) -> str:
        return self.name or str(self.number)


class ServiceBackend(msgspec.Struct, frozen=True, gc=False):
    """A Service in the Ingress's own namespace."""

    name: str = ""
    port: BackendPort = BackendPort()


class ResourceBackend(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An object in the Ingress's own namespace that is not a Service."""

    kind: str = ""
    name: str = ""
    api_group: str = ""


class IngressBackend(msgspec.Struct, frozen=True, gc=False):
    """Where a rule sends: a Service or a resource."""

    service: ServiceBackend | None = None
    resource: ResourceBackend | None = None


class IngressPath(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One path of a rule; path_type Exact, Prefix or ImplementationSpecific."""

    backend: IngressBackend = IngressBackend()
    path: str = ""
    path_type: str = "ImplementationSpecific"


class IngressPaths(msgspec.Struct, frozen=True, gc=False):
    """The http part of a rule."""

    paths: tuple[IngressPath, ...] = ()


class IngressRule(msgspec.Struct, frozen=True, gc=False):
    """The paths of one host; an empty host is every host."""

    host: str = ""
    http: IngressPaths = IngressPaths()


class IngressTLS(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The Secret with the certificate for some hosts."""

    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class Ingress(KubernetesObject, kw_only=True, gc=False):
    """An Ingress."""

    KIND: ClassVar[str] = "Ingress"

    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] = ()
    tls: tuple[IngressTLS, ...] = ()
    status: ServiceStatus = ServiceStatus()

    @property
    def ingress_points(self) -> tuple[IngressPoint, ...]:
        """Addresses that the controller wrote into the status."""
        return self.status.load_balancer.ingress

    @property
    def legacy_class(self) -> str:
        """The annotation kubernetes.io/ingress.class, or an empty string."""
        return self.annotations.get("kubernetes.io/ingress.class", "")


class IngressClass(KubernetesObject, kw_only=True, gc=False):
    """A class of Ingresses; ``controller`` says who serves it."""

    KIND: ClassVar[str] = "IngressClass"

    controller: str = ""

    @property
    def is_default(self) -> bool:
        """Whether Ingresses without a class get this one (annotation ingressclass.kubernetes.io/is-default-class)."""
        return self.annotations.get("ingressclass.kubernetes.io/is-default-class") == "true"
