"""Whether an object may refer to one of another namespace (Gateway API v1beta1: ReferenceGrant)."""

from aksnav.store import Store


def granted(store: Store, source: tuple[str, str, str], target: tuple[str, str, str, str]) -> tuple[bool | None, str]:
    """Return whether a grant allows a reference, and the grant's id; None with the reason where grants cannot be read.

    Args:
        store: what is known.
        source: group, kind and namespace of the object that refers.
        target: group (empty for core), kind, namespace and name of the object that is referred to.
    """
    group, kind, namespace = source
    to_group, to_kind, to_namespace, name = target
    for grant in sorted(store.reference_grants, key=lambda row: row.id):
        if grant.namespace != to_namespace:
            continue
        comes = any(item.group == group and item.kind == kind and item.namespace == namespace for item in grant.from_)
        goes = any(item.group == to_group and item.kind == to_kind and item.name in {"", name} for item in grant.to)
        if comes and goes:
            return True, grant.id
    access = store.reference_grants.access(to_namespace)
    bad = [ident for ident in store.reference_grants.undecodable if ident.startswith(f"{to_namespace}/")]
    if bad:
        return None, f"ReferenceGrant {bad[0]}: {store.reference_grants.undecodable[bad[0]]}"
    if not access.complete:
        return None, f"list referencegrants in namespace {to_namespace}: {access.reason or access.reading.value}"
    return False, ""
