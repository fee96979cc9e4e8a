"""What ingress controllers of Azure are told by kinds of their own.

NginxIngressController (approuting.kubernetes.azure.com/v1alpha1) is an installation of the application routing add-on's
NGINX, AzureIngressProhibitedTarget (appgw.ingress.k8s.io/v1) what AGIC must leave alone.
"""

from typing import ClassVar

import msgspec

from aksnav.model.kubernetes.workload import Condition
from aksnav.model.object import KubernetesObject


class NamespacedName(msgspec.Struct, frozen=True, gc=False):
    """An object of any namespace."""

    name: str = ""
    namespace: str = ""

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


class DefaultCertificate(msgspec.Struct, frozen=True, gc=False):
    """The certificate for names that no Ingress has one for: a Secret, or one that is made from Key Vault."""

    secret: NamespacedName | None = None
    key_vault_uri: str = msgspec.field(name="keyVaultURI", default="")
    force_redirect: bool = msgspec.field(name="forceSSLRedirect", default=False)


class ManagedObject(msgspec.Struct, frozen=True, gc=False):
    """An object that was made for a controller."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class NginxStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What the add-on says of a controller, and what it made for it."""

    conditions: tuple[Condition, ...] = ()
    managed_resource_refs: tuple[ManagedObject, ...] = ()


class NginxIngressController(KubernetesObject, kw_only=True, gc=False):
    """One NGINX of the application routing add-on.

    Attributes:
        ingress_class_name: the class that it serves; its own name where this is empty.
        load_balancer_annotations: those of its Service.
        certificate: for names that no Ingress has one for.
        default_backend: the Service behind everything that no rule takes.
        error_codes: which of a backend's errors the default backend answers.
        passthrough: annotation ssl-passthrough has an effect.
    """

    KIND: ClassVar[str] = "NginxIngressController"

    ingress_class_name: str = ""
    load_balancer_annotations: dict[str, str] = {}
    certificate: DefaultCertificate | None = msgspec.field(name="defaultSSLCertificate", default=None)
    default_backend: NamespacedName | None = msgspec.field(name="defaultBackendService", default=None)
    error_codes: tuple[int, ...] = msgspec.field(name="customHTTPErrors", default=())
    passthrough: bool = msgspec.field(name="enableSSLPassthrough", default=False)
    status: NginxStatus = NginxStatus()

    @property
    def class_name(self) -> str:
        """The ingress class that it serves."""
        return self.ingress_class_name or self.name


class AzureIngressProhibitedTarget(KubernetesObject, kw_only=True, gc=False):
    """A host, and paths of it, that AGIC must not configure; an empty host is every host, no path is every path."""

    KIND: ClassVar[str] = "AzureIngressProhibitedTarget"

    hostname: str = ""
    paths: tuple[str, ...] = ()
