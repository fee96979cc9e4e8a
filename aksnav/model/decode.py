"""From wire bytes to objects: one object, or a page of a list, with what cannot be decoded set aside by name."""

from collections.abc import Iterable
from typing import Any

import msgspec

from aksnav.model.azure.shape import shaped
from aksnav.model.kinds import AnyObject, Kind
from aksnav.model.kubernetes.pod_wire import WirePod, flatten
from aksnav.model.kubernetes.shape import SHAPES, flat, without_nulls
from aksnav.model.labels import Labels
from aksnav.model.object import Undecodable


class ListMeta(msgspec.Struct, rename="camel", gc=False):
    """Metadata of a list: where it stands and how to go on."""

    resource_version: str | None = None
    continue_: str | None = msgspec.field(name="continue", default=None)
    remaining_item_count: int | None = None


class _Page(msgspec.Struct, gc=False):
    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


class _PodPage(msgspec.Struct, gc=False):
    metadata: ListMeta
    items: list[WirePod] | None = None


class Page(msgspec.Struct, gc=False):
    """A page of a list, decoded.

    Attributes:
        objects: what could be decoded.
        undecodable: what could not, each by name and reason.
        resource_version: of the list.
        continue_token: how to ask for the next page, empty on the last one.
    """

    objects: list[AnyObject]
    undecodable: list[Undecodable]
    resource_version: str = ""
    continue_token: str = ""


_PAGE = msgspec.json.Decoder(_Page)
_POD_PAGE = msgspec.json.Decoder(_PodPage)
_POD = msgspec.json.Decoder(WirePod)
_ANY = msgspec.json.Decoder()
# Whatever foreign JSON can do to a decoder: other types, bad text, more levels than the interpreter's stack has.
_FAULTS = (msgspec.MsgspecError, TypeError, ValueError, RecursionError)


def decode_object(kind: Kind, raw: bytes | msgspec.Raw) -> AnyObject:
    """Return the object of one JSON document in wire form.

    Raises:
        Undecodable: the document is not such an object; the message names the field.
    """
    if kind.name == "Pod":
        try:
            return flatten(_POD.decode(raw))
        except _FAULTS as error:
            raise Undecodable(kind.name, _name_of(raw), _reason(error)) from error
    try:
        wire = _ANY.decode(raw)
    except _FAULTS as error:
        raise Undecodable(kind.name, "", _reason(error)) from error
    # Looking for the word in the bytes is a hundred times cheaper than looking through what they hold.
    return decode_wire(kind, wire, with_nulls=b"null" in bytes(raw))


def decode_wire(kind: Kind, wire: Any, *, with_nulls: bool = True) -> AnyObject:
    """Return the object of JSON (or YAML) that is parsed already.

    Args:
        kind: of the object.
        wire: the JSON value.
        with_nulls: there may be a null in it.

    Raises:
        Undecodable: it is not such an object; the message names the field.
    """
    if not isinstance(wire, dict):
        raise Undecodable(kind.name, "", "not a JSON object")
    if kind.name == "Pod":
        try:
            return flatten(_POD.decode(msgspec.json.encode(wire)))
        except _FAULTS as error:
            raise Undecodable(kind.name, _ident(wire), _reason(error)) from error
    try:
        if kind.azure:
            form = shaped(kind.name, wire)
        else:
            form = SHAPES.get(kind.name, flat)(without_nulls(wire) if with_nulls else wire)
        made = msgspec.convert(form, kind.struct, dec_hook=_labels)
    except _FAULTS as error:
        raise Undecodable(kind.name, _ident(wire), _reason(error)) from error
    if not (made.id if kind.azure else made.name):
        raise Undecodable(kind.name, "", "it has no name")
    return made


def decode_page(kind: Kind, raw: bytes) -> Page:
    """Return a page of a Kubernetes list; an object that cannot be decoded does not stop the others.

    Raises:
        Undecodable: the document is not a list at all.
    """
    try:
        if kind.name == "Pod":
            try:
                pods = _POD_PAGE.decode(raw)
                return _page([flatten(item) for item in pods.items or ()], [], pods.metadata)
            except (msgspec.ValidationError, ValueError, RecursionError):
                pass  # some Pod is malformed: read them one by one below
        page = _PAGE.decode(raw)
    except _FAULTS as error:
        raise Undecodable(kind.name, "", f"not a list: {error}") from error
    objects, bad = decode_each(kind, page.items or ())
    return _page(objects, bad, page.metadata)


def decode_each(kind: Kind, documents: Iterable[bytes | msgspec.Raw]) -> tuple[list[AnyObject], list[Undecodable]]:
    """Return the objects of several JSON documents, and those that could not be decoded."""
    objects: list[AnyObject] = []
    bad: list[Undecodable] = []
    for document in documents:
        try:
            objects.append(decode_object(kind, document))
        except Undecodable as error:
            bad.append(error)
    return objects, bad


def _page(objects: list[AnyObject], bad: list[Undecodable], meta: ListMeta) -> Page:
    return Page(objects, bad, meta.resource_version or "", meta.continue_ or "")


def _labels(kind: type, value: Any) -> Any:
    if kind is not Labels:
        raise NotImplementedError(f"no decoder for {kind.__name__}")
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError("labels are not an object of strings")
    return Labels.of(value)


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _name_of(raw: bytes | msgspec.Raw) -> str:
    try:
        return _ident(_ANY.decode(raw))
    except _FAULTS:
        return ""


def _ident(wire: Any) -> str:
    if not isinstance(wire, dict):
        return ""
    meta = wire.get("metadata")
    if not isinstance(meta, dict):
        return str(wire.get("id") or "").lower()
    name, namespace = str(meta.get("name") or ""), str(meta.get("namespace") or "")
    return f"{namespace}/{name}" if namespace else name
