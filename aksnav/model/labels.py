"""Label sets, interned: the same labels are the same object, so a set of labels is compared by identity.

Pods of one workload share one ``Labels`` object: 200,000 Pods hold some ten thousand of them.
"""

from collections.abc import Iterator, Mapping
from sys import intern

import msgspec


class Labels(Mapping[str, str]):
    """An immutable, interned set of labels; make one with ``Labels.of``."""

    __slots__ = ("_map",)

    def __init__(self, labels: dict[str, str]) -> None:
        self._map = labels

    @staticmethod
    def of(labels: Mapping[str, str] | None) -> "Labels":
        """Return the one ``Labels`` object that has exactly these labels."""
        if not labels:
            return EMPTY
        digest = hash(frozenset(labels.items()))
        alike = _BY_HASH.get(digest, ())
        for found in alike:
            if found._map == labels:  # noqa: SLF001 - its own class
                return found
        # Keys are few and values are mostly names that something else has too: one text each.
        made = Labels({intern(key): intern(labels[key]) for key in sorted(labels)})
        _BY_HASH[digest] = (*alike, made)
        return made

    @staticmethod
    def of_json(raw: bytes) -> "Labels":
        """Return the interned labels of a JSON object in wire form (``null`` and nothing give none).

        Raises:
            msgspec.DecodeError: the bytes are not a JSON object of strings.
        """
        found = _BY_BYTES.get(raw)
        if found is None:
            found = Labels.of(_DECODER.decode(raw)) if raw else EMPTY
            if len(_BY_BYTES) >= _MOST_BYTES:
                _BY_BYTES.clear()  # the Pods of jobs that come and go have labels of their own, without end
            _BY_BYTES[raw] = found
        return found

    def __getitem__(self, key: str) -> str:
        return self._map[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def __contains__(self, key: object) -> bool:
        return key in self._map

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Labels):
            return self is other
        return self._map == other

    def __repr__(self) -> str:
        return f"Labels({self._map!r})"

    def __str__(self) -> str:
        return ",".join(f"{key}={value}" for key, value in self._map.items())


_DECODER = msgspec.json.Decoder(dict[str, str] | None)
_BY_HASH: dict[int, tuple[Labels, ...]] = {}
_BY_BYTES: dict[bytes, Labels] = {}
_MOST_BYTES = 1 << 16
EMPTY = Labels({})


class Requirement(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One line of ``matchExpressions``: operator is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class LabelSelector(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A metav1.LabelSelector: every label and every expression must hold; an empty one selects everything."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[Requirement, ...] = ()

    def invalid(self) -> str | None:
        """Return why the selector cannot be evaluated (an unknown operator, values missing), or None."""
        for line in self.match_expressions:
            if line.operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
                return f"matchExpressions operator {line.operator!r} is not one of In, NotIn, Exists, DoesNotExist"
            if line.operator in {"In", "NotIn"} and not line.values:
                return f"matchExpressions {line.key!r} {line.operator} has no values"
        return None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels satisfy the selector (metav1.LabelSelector; NotIn holds for an absent key)."""
        return all(labels.get(key) == value for key, value in self.match_labels.items()) and all(
            _holds(line, labels) for line in self.match_expressions
        )

    def __str__(self) -> str:
        parts = [f"{key}={value}" for key, value in self.match_labels.items()]
        for line in self.match_expressions:
            listed = f" ({', '.join(line.values)})" if line.values else ""
            parts.append(f"{line.key} {line.operator}{listed}")
        return ", ".join(parts) or "(everything)"


def _holds(line: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(line.key)
    if line.operator == "In":
        return value is not None and value in line.values
    if line.operator == "NotIn":
        return value is None or value not in line.values
    if line.operator == "Exists":
        return value is not None
    return line.operator == "DoesNotExist" and value is None
