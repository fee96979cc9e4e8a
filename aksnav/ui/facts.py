"""The line of facts: which cluster this is, how its network is built, and how fresh each source is."""

from collections.abc import Iterable

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.change import Reading
from aksnav.store import Store
from aksnav.store.store import SourceState
from aksnav.trace.step import Outcome
from aksnav.ui.ages import READING_WORDS, AsOf, between_words, read_between
from aksnav.ui.entry import Entry
from aksnav.ui.text import Span

_PLUGIN = {"azure": "Azure CNI", "kubenet": "kubenet", "none": "own CNI"}
_TONE = {Reading.LIVE: "good", Reading.PENDING: "muted", Reading.STALE: "warn", Reading.UNREAD: "muted"}
_AGED = {"azure", "capture"}
"""Sources that do not follow: what they say is as of when it was read."""
_SHORT = {"kubernetes": "kube", "azure": "arm"}


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
    spans.append(Span(f" {parts[0]}" if parts else "", keep=True))
    power = "" if cluster is None else str(cluster.power_state.get("code", ""))
    if power and power != "Running":
        spans.append(Span(f" · {power.upper()}", "bad", keep=True))
    spans.append(Span("".join(f" · {part}" for part in parts[1:])))
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


def state_spans(store: Store, entries: Iterable[Entry], now: float, *, narrow: bool = False) -> list[Span]:
    """Return the state and the age of each source, and how many entry points fail or are undecided.

    Args:
        store: for the sources.
        entries: the entry points.
        now: seconds since the epoch.
        narrow: whether there is little room: the name of the cluster is worth more than the words.
    """
    spans: list[Span] = []
    gap = "  " if narrow else "   "
    for name, state in store.sources.items():
        tone = _TONE.get(state.reading, "bad")
        glyph = "●" if state.reading is Reading.LIVE else "○"
        word = _state_word(store, name, state, now, narrow=narrow)
        spans += [Span(f"{_SHORT.get(name, name)} ", "muted", keep=True), Span(f"{glyph} {word}", tone, keep=True)]
        spans.append(Span(gap))
    outcomes = [entry.trace.outcome for entry in entries if entry.trace is not None]
    unknown = outcomes.count(Outcome.UNDECIDED)
    bad = len(outcomes) - unknown - outcomes.count(Outcome.DELIVERED)
    failing, undecided = ("", "") if narrow else (" failing", " undecided")
    spans += [Span(f"✖ {bad}{failing}", "bad" if bad else "muted", keep=True), Span("  ")]
    spans += [Span(f"? {unknown}{undecided} ", "unknown" if unknown else "muted", keep=True)]
    return spans


def _state_word(store: Store, name: str, state: SourceState, now: float, *, narrow: bool) -> str:
    """Return a source's state; with its age, unless it is followed and therefore of now.

    Azure is asked in rounds, and not for everything in each: one age would hide that a part is older.
    """
    word = READING_WORDS[state.reading]
    known = read_between(store, name)
    if known is None:
        return word
    if state.reading is Reading.STALE:  # no younger than what was read, nor than the loss
        known = AsOf(min(known.oldest, state.at), min(known.newest, state.at))
        words = between_words(known, now, short=narrow)
        return f"{word}, {'just now' if words == 'now' else f'{words} ago'}"
    if state.reading is not Reading.LIVE or name not in _AGED:
        return word
    age_words = between_words(known, now, short=narrow)
    partly = ", in part" if name == "azure" and state.reason and not narrow else ""
    return f"{age_words}{partly}" if name == "azure" else f"{age_words} old"
