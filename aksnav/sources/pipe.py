"""Changes on their way from the child process that reads to the process that shows them.

A frame is a tag byte, a length and a msgpack body. What many objects share (labels, Pod templates, the names of
namespaces and nodes) is sent once, ahead of the first object that has it, and is an integer from then on: 200,000 Pods
are 26 MB on the pipe and cost the receiver 0.3 s. A frame holds at most ``FRAME_OBJECTS`` objects, so that whoever
decodes one is busy for some 2 ms.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from struct import Struct
from sys import intern
from typing import Any, BinaryIO, cast

import msgspec

from aksnav.model.change import (
    Change,
    Heartbeat,
    ListEnded,
    ListStarted,
    ReadingChanged,
    Removed,
    ScopeLeft,
    SourceChanged,
    UndecodableFound,
    Upserted,
)
from aksnav.model.confirmation import Question
from aksnav.model.kinds import KINDS, AnyObject
from aksnav.model.kubernetes.service import EndpointSlice
from aksnav.model.kubernetes.workload import ContainerPort, Pod, PodTemplate, Probe
from aksnav.model.labels import Labels
from aksnav.sources import slices

FRAME_OBJECTS = 500
FRAME_CHANGES = 2_000
MAX_BODY = 256 * 1024 * 1024
CHANGES, ANSWER, COMMAND = 1, 2, 3

# Parts that many objects of a kind have alike; each is immutable.
_SHARED = {
    "Service": ("type", "ports", "status", "ip_families", "ip_family_policy", "session_affinity"),
    "EndpointSlice": ("address_type", "ports"),
    "Node": ("conditions", "taints", "kubelet_version", "os_image", "operating_system"),
}
_MOST_SHARED = 1 << 14
_HEAD = Struct(">BI")
_Note = ListStarted | ListEnded | Removed | ReadingChanged | ScopeLeft | Heartbeat | UndecodableFound | SourceChanged
_Template = tuple[
    int, str, str, tuple[ContainerPort, ...], tuple[Probe, ...], bool, str, tuple[str, ...], bool, bool, str,
    tuple[tuple[str, str], ...],
]  # fmt: skip
_PodRow = tuple[
    str, int, str, str, bool, int, int, int, tuple[str, ...], int, bool, int, int, str, int
]  # fmt: skip


class PipeError(Exception):
    """The other end sent something that is not a frame."""


class _Frame(msgspec.Struct, array_like=True, gc=False):
    """Additions to the tables, then the changes: a kind and its objects, or an empty kind and a note."""

    strings: list[str]
    labels: list[dict[str, str]]
    templates: list[_Template]
    parts: list[tuple[str, msgspec.Raw]]


class Encoder:
    """Makes frame bodies and remembers what was sent: one encoder for the life of one pipe."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {}
        self._labels: dict[Labels, int] = {}
        self._templates: dict[PodTemplate, int] = {}
        self._packer = msgspec.msgpack.Encoder(enc_hook=self._label)
        self._new_strings: list[str] = []
        self._new_labels: list[dict[str, str]] = []
        self._new_templates: list[_Template] = []

    def bodies(self, changes: Iterable[Change]) -> Iterator[bytes]:
        """Return the bodies of the frames that carry these changes, in order; neighbouring batches are joined."""
        parts: list[tuple[str, msgspec.Raw]] = []
        objects = 0
        for change in _joined(changes):
            if not isinstance(change, Upserted):
                parts.append(("", msgspec.Raw(self._packer.encode(change))))
            else:
                for start in range(0, len(change.objects), FRAME_OBJECTS):
                    piece = change.objects[start : start + FRAME_OBJECTS]
                    if objects and objects + len(piece) > FRAME_OBJECTS:
                        yield self._body(parts)
                        parts, objects = [], 0
                    parts.append((change.kind, self._objects(change.kind, piece)))
                    objects += len(piece)
            if len(parts) >= FRAME_CHANGES:
                yield self._body(parts)
                parts, objects = [], 0
        if parts:
            yield self._body(parts)

    def _body(self, parts: list[tuple[str, msgspec.Raw]]) -> bytes:
        body = self._packer.encode(_Frame(self._new_strings, self._new_labels, self._new_templates, parts))
        self._new_strings, self._new_labels, self._new_templates = [], [], []
        return body

    def _objects(self, kind: str, objects: Sequence[AnyObject]) -> msgspec.Raw:
        rows: Sequence[Any] = objects
        if kind == Pod.KIND:
            rows = [self._pod(pod) for pod in cast("Sequence[Pod]", objects)]
        elif kind == EndpointSlice.KIND:
            rows = slices.rows_of(objects, self._string)
        return msgspec.Raw(self._packer.encode(rows))

    def _pod(self, pod: Pod) -> _PodRow:
        string = self._string
        return (
            pod.name,
            string(pod.namespace),
            pod.uid,
            pod.resource_version,
            pod.deleting,
            self._template(pod.template),
            string(pod.node),
            string(pod.host_ip),
            pod.ips,
            string(pod.phase),
            pod.ready,
            string(pod.ready_reason),
            string(pod.reason),
            pod.unscheduled,
            pod.restarts,
        )

    def _string(self, text: str) -> int:
        found = self._strings.get(text)
        if found is None:
            found = self._strings[text] = len(self._strings)
            self._new_strings.append(text)
        return found

    def _label(self, labels: Any) -> int:
        if not isinstance(labels, Labels):
            raise NotImplementedError(f"no encoder for {type(labels).__name__}")
        found = self._labels.get(labels)
        if found is None:
            found = self._labels[labels] = len(self._labels)
            self._new_labels.append(dict(labels))
        return found

    def _template(self, template: PodTemplate) -> int:
        found = self._templates.get(template)
        if found is None:
            found = self._templates[template] = len(self._templates)
            self._new_templates.append(
                (
                    self._label(template.labels),
                    template.owner_kind,
                    template.owner_name,
                    template.ports,
                    template.probes,
                    template.host_network,
                    template.service_account,
                    template.readiness_gates,
                    template.meshed,
                    template.redirected,
                    template.dns_policy,
                    template.host_aliases,
                )
            )
        return found


class Decoder:
    """Reads frame bodies in the order in which one encoder made them."""

    def __init__(self) -> None:
        self._strings: list[str] = []
        self._labels: list[Labels] = []
        self._templates: list[PodTemplate] = []
        self._shared: dict[object, object] = {}
        self._frame = msgspec.msgpack.Decoder(_Frame)
        self._note: msgspec.msgpack.Decoder[_Note] = msgspec.msgpack.Decoder(_Note)
        self._rows = msgspec.msgpack.Decoder(list[_PodRow])
        self._kinds: dict[str, Callable[[msgspec.Raw], list[AnyObject]]] = {
            Pod.KIND: self._pods,
            EndpointSlice.KIND: slices.decoder(self._strings, self._label),
        }

    def changes(self, body: bytes) -> list[Change]:
        """Return the changes of one frame.

        Raises:
            PipeError: the body is not what the encoder makes.
        """
        try:
            frame = self._frame.decode(body)
            self._strings.extend(map(intern, frame.strings))
            self._labels.extend(map(Labels.of, frame.labels))
            self._templates.extend(PodTemplate.of(self._labels[made[0]], *made[1:]) for made in frame.templates)
            return [
                Upserted(kind, self._objects(kind, raw)) if kind else self._note.decode(raw)
                for kind, raw in frame.parts
            ]
        except (msgspec.MsgspecError, IndexError, KeyError) as error:
            raise PipeError(f"a frame cannot be read: {error}") from error

    def _objects(self, kind: str, raw: msgspec.Raw) -> list[AnyObject]:
        decode = self._kinds.get(kind)
        if decode is None:
            made = msgspec.msgpack.Decoder(list[KINDS[kind].struct], dec_hook=self._label)  # type: ignore[misc] # the class is chosen at run time
            decode = self._kinds[kind] = cast("Callable[[msgspec.Raw], list[AnyObject]]", made.decode)
        objects = decode(raw)
        names = _SHARED.get(kind)
        return objects if names is None else self._sharing(objects, names)

    def _sharing(self, objects: list[AnyObject], names: tuple[str, ...]) -> list[AnyObject]:
        """Let equal parts of objects be the same part: most Services have the ports of some other Service."""
        shared = self._shared
        if len(shared) > _MOST_SHARED:
            shared.clear()
        for item in objects:
            for name in names:
                part = getattr(item, name)
                setattr(item, name, shared.setdefault(part, part))
        return objects

    def _label(self, _kind: type, value: int) -> Labels:
        return self._labels[value]

    def _pods(self, raw: msgspec.Raw) -> list[AnyObject]:
        strings, templates = self._strings, self._templates
        return [
            Pod(
                name=name,
                namespace=strings[namespace],
                uid=uid,
                resource_version=version,
                deleting=deleting,
                template=templates[template],
                node=strings[node],
                host_ip=strings[host_ip],
                ips=ips,
                phase=strings[phase],
                ready=ready,
                ready_reason=strings[ready_reason],
                reason=strings[reason],
                unscheduled=unscheduled,
                restarts=restarts,
            )
            for (
                name, namespace, uid, version, deleting, template, node, host_ip, ips, phase, ready,
                ready_reason, reason, unscheduled, restarts,
            ) in self._rows.decode(raw)
        ]  # fmt: skip


def _joined(changes: Iterable[Change]) -> Iterator[Change]:
    """Join batches of the same sort and kind that follow each other (a watch brings one event at a time)."""
    held: Upserted | Removed | None = None
    for change in changes:
        if isinstance(change, Upserted):
            if isinstance(held, Upserted) and held.kind == change.kind:
                held.objects.extend(change.objects)
                continue
            if held is not None:
                yield held
            held = Upserted(change.kind, list(change.objects))
        elif isinstance(change, Removed):
            if isinstance(held, Removed) and held.kind == change.kind:
                held.ids.extend(change.ids)
                continue
            if held is not None:
                yield held
            held = Removed(change.kind, list(change.ids))
        else:
            if held is not None:
                yield held
            held = None
            yield change
    if held is not None:
        yield held


class GetRaw(msgspec.Struct, tag=True, gc=False):
    """Ask for one object as it is on the wire; the ``Answer`` has the same number."""

    number: int
    kind: str
    id: str


class Confirm(msgspec.Struct, tag=True, gc=False):
    """Ask the living network one question; the ``Answer`` has the same number and the reply in msgpack."""

    number: int
    question: Question


class AskSecrets(msgspec.Struct, tag=True, gc=False):
    """From now on, these Secrets (pairs of namespace and name) are asked for besides those that objects name."""

    names: list[tuple[str, str]]


class Refresh(msgspec.Struct, tag=True, gc=False):
    """Read everything again."""


class Stop(msgspec.Struct, tag=True, gc=False):
    """End."""


Command = GetRaw | Confirm | AskSecrets | Refresh | Stop


class Answer(msgspec.Struct, gc=False):
    """What came of a ``GetRaw`` or a ``Confirm``: a body, or one line that says why there is none."""

    number: int
    body: bytes = b""
    error: str = ""


def write_frame(stream: BinaryIO, tag: int, body: bytes) -> None:
    """Write one frame and flush it.

    Raises:
        OSError: the other end is gone.
    """
    stream.write(_HEAD.pack(tag, len(body)))
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[int, bytes] | None:
    """Return the tag and the body of the next frame, or None when the stream has ended.

    Raises:
        PipeError: the stream ends inside a frame, or what comes is not a frame.
    """
    head = stream.read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise PipeError("the pipe ended inside a frame")
    tag, length = _HEAD.unpack(head)
    if tag not in {CHANGES, ANSWER, COMMAND} or length > MAX_BODY:
        raise PipeError(f"not a frame: tag {tag}, {length} bytes")
    body = stream.read(length)
    if len(body) < length:
        raise PipeError("the pipe ended inside a frame")
    return tag, body
