"""The line of facts: which cluster this is, how its network is built, and how fresh each source is."""

from collections.abc import Iterable

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.change import Reading
from aksnav.store import Store
from aksnav.trace.step import Outcome
from aksnav.ui.entry import Entry
from aksnav.ui.text import Span

_PLUGIN = {"azure": "Azure CNI", "kubenet": "kubenet", "none": "own CNI"}
_TONE = {Reading.LIVE: "good", Reading.PENDING: "muted", Reading.STALE: "warn", Reading.UNREAD: "muted"}
_SHORT = {"kubernetes": "kube", "azure": "arm"}
MINUTE, HOUR = 60, 3600
AGE_STEPS = (5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)


def cluster_spans(store: Store) -> list[Span]:
    """Return the cluster's name and its network in a few words."""
    spans = [Span(" aksnav ", "title", keep=True)]
    cluster = next(iter(store.clusters), None)
    facts: dict[str, str] = {}
    for state in store.sources.values():
        facts.update(state.facts)
    name = cluster.name if cluster is not None else facts.get("context", "")
    parts = [name] if name else []
    if cluster is not None:
        parts += network_words(cluster)
    elif facts.get("version"):
        parts.append(f"Kubernetes {facts['version']}")
    spans.append(Span(" " + " · ".join(parts)))
    return spans


def network_words(cluster: ManagedCluster) -> list[str]:
    """Return version, network model, policy engine and egress of a cluster; what ARM did not say is left out."""
    profile = cluster.network_profile
    words = [f"AKS {cluster.current_kubernetes_version or cluster.kubernetes_version}".strip()]
    if profile.network_plugin:
        words.append(
            f"{_PLUGIN.get(profile.network_plugin, profile.network_plugin)} {profile.network_plugin_mode}".strip()
        )
    if profile.network_policy or profile.network_dataplane:
        words.append((profile.network_policy or profile.network_dataplane).capitalize())
    if profile.outbound_type:
        words.append(f"egress {profile.outbound_type}")
    return words


def state_spans(store: Store, entries: Iterable[Entry], now: float) -> list[Span]:
    """Return the state of each source, and how many entry points fail or are undecided.

    Args:
        store: for the sources.
        entries: the entry points.
        now: seconds since the epoch.
    """
    spans: list[Span] = []
    for name, state in store.sources.items():
        tone = _TONE.get(state.reading, "bad")
        glyph = "●" if state.reading is Reading.LIVE else "○"
        word = str(state.reading) if state.reading is not Reading.STALE else f"stale, {ago(now - state.at)}"
        spans += [Span(f"{_SHORT.get(name, name)} ", "muted"), Span(f"{glyph} {word}", tone, keep=True), Span("   ")]
    outcomes = [entry.trace.outcome for entry in entries if entry.trace is not None]
    unknown = outcomes.count(Outcome.UNDECIDED)
    bad = len(outcomes) - unknown - outcomes.count(Outcome.DELIVERED)
    spans += [Span(f"✖ {bad} failing", "bad" if bad else "muted", keep=True), Span("  ")]
    spans += [Span(f"? {unknown} undecided ", "unknown" if unknown else "muted", keep=True)]
    return spans


def ago(seconds: float) -> str:
    """Return an age as people say it: ``just now``, ``30 s ago``."""
    words = age(seconds)
    return "just now" if words == "now" else f"{words} ago"


def age(seconds: float) -> str:
    """Return an age in coarse steps, so that a line does not have to be drawn every second."""
    step = max((step for step in AGE_STEPS if step <= seconds), default=0)
    if not step:
        return "now"
    if step < MINUTE:
        return f"{step} s"
    return f"{step // MINUTE} min" if step < HOUR else f"{int(seconds // HOUR)} h"
