"""Commands with which a sceptic checks a step of the Kubernetes plane."""

import shlex

from aksnav.model.kinds import KINDS
from aksnav.model.object import Ref


def show(ref: Ref, path: str = "") -> str:
    """Return the kubectl command that prints an object, or one field of it.

    Args:
        ref: a Kubernetes object; its name need not exist.
        path: a field path as evidence has it (``.spec.rules[0].host``); empty for the whole object.
    """
    kind = KINDS.get(ref.kind)
    resource = ref.kind.lower() if kind is None else kind.plural + (f".{kind.group}" if kind.group else "")
    scope = f"-n {shlex.quote(ref.namespace)} " if ref.namespace else ""
    output = f"jsonpath={shlex.quote('{' + path + '}')}" if path else "yaml"
    return f"kubectl {scope}get {resource} {shlex.quote(ref.name)} -o {output}"


def listing(kind_name: str, namespace: str = "", selector: str = "") -> str:
    """Return the kubectl command that lists a kind in a namespace, or everywhere."""
    kind = KINDS[kind_name]
    resource = kind.plural + (f".{kind.group}" if kind.group else "")
    scope = f" -n {shlex.quote(namespace)}" if namespace else (" -A" if kind.namespaced else "")
    chosen = f" -l {shlex.quote(selector)}" if selector else ""
    return f"kubectl get {resource}{scope}{chosen}"
