"""The rules of all Ingresses of one controller, in the order in which they win, and how the specification has it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from aksnav.model.kubernetes.ingress import Ingress, IngressBackend
from aksnav.store import Store
from aksnav.trace.ingress.classes import Claim
from aksnav.trace.memo import once
from aksnav.trace.readable import stale
from aksnav.trace.routing.controllers import claims
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Considered, Verdict

_DIGITS = 10


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One path of one Ingress.

    Attributes:
        ingress: where it stands; field: its path in there (``.spec.rules[0].http.paths[1]``).
        host: as written, in lower case; empty is every host.
        path: as written; an empty one is ``/``.
        path_type: Exact, Prefix or ImplementationSpecific.
        backend: where it sends.
    """

    ingress: Ingress
    field: str
    host: str
    path: str
    path_type: str
    backend: IngressBackend

    @property
    def name(self) -> str:
        """The rule as people call it."""
        return f"{self.ingress.id} {self.host or '*'}{self.path} ({self.path_type})"


class Rules(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The Ingresses of one controller.

    Attributes:
        ingresses: oldest first, then by name.
        by_host: the rules of each host in the same order; an empty host is every host.
        certificates: for each host of a TLS section, the oldest Ingress that names it and the index of the section.
        unreadable: why there may be more than is known, or an empty string.
        assumed: by the id of an Ingress, what is taken for granted in its being served.
        stale: what of all this is known from before only.
    """

    ingresses: tuple[Ingress, ...]
    by_host: dict[str, tuple[Rule, ...]]
    certificates: dict[str, tuple[Ingress, int]] = {}
    unreadable: str = ""
    assumed: dict[str, tuple[str, ...]] = {}
    stale: tuple[str, ...] = ()


def rules_of(store: Store, controller: Controller) -> Rules:
    """Return the rules that a controller serves."""
    name = f"ingress rules of {','.join(controller.classes)}"
    return once(store, name, ("Ingress", "IngressClass"), lambda: _collect(store, controller.classes))


def rules_in(ingresses: Iterable[Ingress]) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of some Ingresses by host, in the order of the Ingresses."""
    by_host: dict[str, list[Rule]] = {}
    for ingress in ingresses:
        for index, rule in enumerate(ingress.rules):
            host = rule.host.lower()
            for place, path in enumerate(rule.http.paths):
                by_host.setdefault(host, []).append(
                    Rule(
                        ingress=ingress,
                        field=f".spec.rules[{index}].http.paths[{place}]",
                        host=host,
                        path=path.path or "/",
                        path_type=path.path_type,
                        backend=path.backend,
                    )
                )
            if not rule.http.paths:
                by_host.setdefault(host, [])
    return {host: tuple(rules) for host, rules in by_host.items()}


def whole_number(text: str) -> int | None:
    """Return the number that an annotation's text is, or None; no controller takes one of ten digits or more."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def age(ingress: Ingress) -> tuple[str, str]:
    """Return what orders Ingresses that want the same: the older first, then by namespace and name."""
    return (ingress.created, ingress.id)


def _collect(store: Store, classes: Sequence[str]) -> Rules:
    known = claims(store)
    served = sorted(
        (row for row in store.ingresses if known[row.id].problem is None and known[row.id].class_name in classes),
        key=age,
    )
    certificates: dict[str, tuple[Ingress, int]] = {}
    for row in served:
        for index, entry in enumerate(row.tls):
            for host in entry.hosts:
                certificates.setdefault(host.lower(), (row, index))
    return Rules(
        ingresses=tuple(served),
        by_host=rules_in(served),
        certificates=certificates,
        unreadable=_unreadable(store) or _unclaimed(known),
        assumed={row.id: known[row.id].assumptions for row in served if known[row.id].assumptions},
        stale=stale(store.ingresses, store.ingress_classes),
    )


def _unclaimed(known: Mapping[str, Claim]) -> str:
    """Return why an Ingress may be one of this controller's: its class is there and cannot be read."""
    blind = [step for item in known.values() if (step := item.problem) is not None and step.verdict is Verdict.BLIND]
    return f"{blind[0].subject}: {blind[0].missing}" if blind else ""


def _unreadable(store: Store) -> str:
    access = store.ingresses.access()
    if not access.complete:
        read = sorted(scope for scope, known in store.ingresses.scopes().items() if scope and known.complete)
        where = f" (read in {', '.join(read)} only)" if read else ""
        return f"list ingresses.networking.k8s.io in every namespace: {access.reason or access.reading.value}{where}"
    bad = sorted(store.ingresses.undecodable)
    return f"Ingress {', '.join(bad)}: {store.ingresses.undecodable[bad[0]]}" if bad else ""


def element_prefix(prefix: str, path: str) -> bool:
    """Return whether a path has a prefix, element by element (networking/v1, PathType Prefix).

    A trailing slash is ignored: ``/foo`` and ``/foo/`` both match ``/foo``, ``/foo/`` and ``/foo/bar``, and
    neither matches ``/foobar``.
    """
    bare = prefix.rstrip("/")
    return path == bare or path.startswith(f"{bare}/") or not bare


def spec_matches(rule: Rule, path: str) -> bool:
    """Return whether a rule matches a path as the specification has it; ImplementationSpecific is taken as Prefix."""
    if rule.path_type == "Exact":
        return path == rule.path
    return element_prefix(rule.path, path)


def spec_rank(rule: Rule) -> tuple[int, int]:
    """Return what orders rules that match one path, most first (Ingress, "Multiple matches").

    Exact before Prefix, then the longer path.
    """
    return (int(rule.path_type == "Exact"), len(rule.path.rstrip("/")))


def spec_choice(rules: Sequence[Rule], path: str) -> tuple[Rule | None, tuple[Considered, ...]]:
    """Return the rule that takes a path, and every rule with the reason why it does or does not."""
    matching = [rule for rule in rules if spec_matches(rule, path)]
    chosen = max(matching, key=spec_rank, default=None)
    return chosen, considered(rules, chosen, [rule for rule in matching if rule is not chosen])


def considered(rules: Sequence[Rule], chosen: Rule | None, beaten: Sequence[Rule]) -> tuple[Considered, ...]:
    """Return why each rule of a host decides or does not."""
    said: list[Considered] = []
    for rule in rules:
        if rule is chosen:
            said.append(Considered(rule.name, True, "matches, and is the best match"))
        elif chosen is not None and any(rule is other for other in beaten):
            said.append(Considered(rule.name, False, _why_beaten(rule, chosen)))
        else:
            said.append(Considered(rule.name, False, "the path does not match"))
    return tuple(said)


def _why_beaten(rule: Rule, chosen: Rule) -> str:
    if same_place(rule, chosen):
        return f"shadowed by the same host and path of {chosen.ingress.id}, which is older or first by name"
    if chosen.path_type == "Exact" and rule.path_type != "Exact":
        return f"Exact {chosen.path} goes before {rule.path_type}"
    return f"{chosen.path} is the better match"


def same_place(rule: Rule, other: Rule) -> bool:
    """Return whether two rules want the same host, path and type of path, so that only one of them can have it."""
    return rule.host == other.host and rule.path == other.path and rule.path_type == other.path_type
