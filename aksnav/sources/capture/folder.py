"""A file or a folder of YAML or JSON as kubectl and az print them."""

from pathlib import Path
from typing import Any

import msgspec

from aksnav.model.azure.network import SubnetUsage, VirtualNetwork
from aksnav.model.decode import decode_each, decode_page, decode_wire
from aksnav.model.kinds import KINDS, AnyObject
from aksnav.model.kubernetes.configmap import ConfigMap
from aksnav.model.object import Undecodable
from aksnav.sources.capture import backend_health
from aksnav.sources.capture.admin_rules import are_admin_rules, give
from aksnav.sources.capture.backend_health import is_backend_health
from aksnav.sources.capture.documents import SUFFIXES, is_json, json_documents, json_error, read_bytes, yaml_documents
from aksnav.sources.capture.errors import CaptureError
from aksnav.sources.capture.recognise import USAGE, kind_of_arm, kind_of_file, kind_of_kubernetes


class _Item(msgspec.Struct, gc=False):
    """The head of a document: enough to say what it is."""

    kind: str | None = None
    api_version: str | None = msgspec.field(name="apiVersion", default=None)


class _Document(_Item, gc=False):
    items: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()


_DOCUMENT = msgspec.json.Decoder(_Document)
_ITEMS = msgspec.json.Decoder(list[_Item])
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder()


class Contents:
    """What the files say.

    Attributes:
        objects: decoded objects by kind and id; a kind without objects is one that a file says has none.
        undecodable: what could not be decoded.
        files: the file in which each object was found last, by kind and id.
        ignored: how many documents were of no kind that is known.
        read: how many documents were read.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, AnyObject]] = {}
        self.undecodable: list[Undecodable] = []
        self.files: dict[tuple[str, str], Path] = {}
        self.ignored = 0
        self.read = 0
        self._usages: list[dict[str, Any]] = []
        self._health: list[tuple[Path, dict[str, Any]]] = []
        self._admin_rules: list[tuple[Path, dict[str, Any]]] = []

    def add_file(self, path: Path) -> None:
        """Read one file.

        Raises:
            CaptureError: it cannot be parsed.
        """
        data = read_bytes(path)
        if not is_json(path, data):
            for document in yaml_documents(path, data):
                self._add_parsed(path, document)
            return
        for raw in json_documents(path, data):
            try:
                self._add_json(path, raw)
            except (msgspec.DecodeError, RecursionError) as error:
                raise json_error(path, raw, error) from error

    def speaks_of(self, kind: str) -> dict[str, AnyObject]:
        """Take note that a kind is spoken of, and return its objects."""
        return self.objects.setdefault(kind, {})

    def _add_json(self, path: Path, raw: bytes) -> None:
        if raw.lstrip()[:1] != b"{":
            self._add_parsed(path, _ANY.decode(raw))
            return
        try:
            head = _DOCUMENT.decode(raw)
        except msgspec.ValidationError:
            self._add_parsed(path, _ANY.decode(raw))
            return
        if not (head.kind or "").endswith("List") or not bytes(head.items).startswith(b"["):
            self._add_parsed(path, _ANY.decode(raw))
            return
        try:
            words = {self._word(item, head) for item in _ITEMS.decode(head.items)}
        except msgspec.ValidationError:
            words = set()
        kind = kind_of_kubernetes(*next(iter(words))) if len(words) == 1 else None
        if kind is None or KINDS[kind].by_name:
            self._add_parsed(path, _ANY.decode(raw))
            return
        self._add_list(path, kind, raw, head)

    def _word(self, item: _Item, head: _Document) -> tuple[str, str]:
        if item.kind:
            return item.kind, item.api_version or ""
        return (head.kind or "").removesuffix("List"), head.api_version or ""

    def _add_list(self, path: Path, kind: str, raw: bytes, head: _Document) -> None:
        """Take a list of one kind on the fast way, from bytes to objects."""
        try:
            page = decode_page(KINDS[kind], raw)
            objects, bad = page.objects, page.undecodable
        except Undecodable:  # without the metadata that a server's list has
            objects, bad = decode_each(KINDS[kind], _RAWS.decode(head.items))
        self._keep(path, kind, objects)
        self.undecodable += bad
        self.read += len(bad)

    def _add_parsed(self, path: Path, document: Any, within: tuple[str, str] = ("", "")) -> None:
        """Take a document, or a list of them, that is parsed already; ``within`` is what a typed list is of."""
        if isinstance(document, list):
            self._add_elements(path, document)
            return
        if not isinstance(document, dict):
            self.ignored += 1
            return
        word, version = document.get("kind") or within[0], document.get("apiVersion") or within[1]
        items, value = document.get("items"), document.get("value")
        if isinstance(word, str) and word.endswith("List") and isinstance(items, list | None):
            self._add_typed_list(path, items or [], word.removesuffix("List"), str(version))
        elif not word and are_admin_rules(document, path.stem):
            self._admin_rules.append((path, document))
        elif not word and is_backend_health(document):
            self._health.append((path, document))
        elif isinstance(value, list) and not word:
            self._add_elements(path, value)
        elif isinstance(word, str) and word and isinstance(document.get("metadata"), dict):
            self._add_kubernetes(path, document, word, str(version))
        else:
            self._add_arm(path, document)

    def _add_typed_list(self, path: Path, items: list[Any], word: str, version: str) -> None:
        if not items:
            kind = kind_of_kubernetes(word, version) or kind_of_file(path.stem)
            if kind is not None:
                self.speaks_of(kind)
        for item in items:
            self._add_parsed(path, item, (word, version))

    def _add_elements(self, path: Path, elements: list[Any]) -> None:
        kind = kind_of_file(path.stem) if not elements else None
        if kind is not None:
            self.speaks_of(kind)
        for element in elements:
            self._add_parsed(path, element)

    def _add_kubernetes(self, path: Path, document: dict[str, Any], word: str, version: str) -> None:
        kind = kind_of_file(path.stem) if word == "PartialObjectMetadata" else kind_of_kubernetes(word, version)
        if kind is None:
            self.ignored += 1
        else:
            self._decode(path, kind, document)

    def _add_arm(self, path: Path, document: dict[str, Any]) -> None:
        kind = kind_of_arm(document)
        if kind is None and "type" not in document and "id" not in document and "name" in document:
            kind = kind_of_file(path.stem)
        if kind == USAGE:
            self._usages.append(document)
        elif kind is None or not KINDS[kind].azure:
            self.ignored += 1
        else:
            self._decode(path, kind, document)

    def _decode(self, path: Path, kind: str, document: dict[str, Any]) -> None:
        try:
            self._keep(path, kind, [decode_wire(KINDS[kind], document)])
        except Undecodable as error:
            self.speaks_of(kind)
            self.undecodable.append(error)
            self.read += 1

    def _keep(self, path: Path, kind: str, objects: list[AnyObject]) -> None:
        rows = self.speaks_of(kind)
        if kind == ConfigMap.KIND:  # of the others nothing enters this program
            wanted = [found for found in objects if isinstance(found, ConfigMap) and found.wanted]
            self.ignored += len(objects) - len(wanted)
            objects = list(wanted)
        self.read += len(objects)
        for found in objects:
            rows[found.id] = found
            self.files[kind, found.id] = path

    def finish(self) -> None:
        """Give networks their usages and admin rules, and gateways their health, which stand in files of their own."""
        for path, document in self._health:
            try:
                told = backend_health.give(self.objects.get("applicationGateways", {}), document)
            except msgspec.ValidationError as error:
                self.undecodable.append(Undecodable("applicationGateways", path.name, str(error)))
            else:
                self.read, self.ignored = self.read + told, self.ignored + (not told)
        by_network: dict[str, list[dict[str, Any]]] = {}
        for usage in self._usages:
            by_network.setdefault(str(usage["id"]).lower().partition("/subnets/")[0], []).append(usage)
        for ident, usages in by_network.items():
            network = self.objects.get("virtualNetworks", {}).get(ident)
            if isinstance(network, VirtualNetwork):
                network.usages = msgspec.convert(usages, tuple[SubnetUsage, ...])
        for path, document in self._admin_rules:
            try:
                told = give(self.objects.get("virtualNetworks", {}).values(), path, document)
            except msgspec.ValidationError as error:
                self.undecodable.append(Undecodable("virtualNetworks", path.name, str(error)))
            else:
                self.read, self.ignored = self.read + told, self.ignored + (not told)


def files_of(path: Path) -> list[Path]:
    """Return the files to read: the one that is named, or every YAML and JSON file of a folder, sorted.

    Raises:
        CaptureError: there is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CaptureError(path, "there is no such file or folder")
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not found:
        raise CaptureError(path, "no .yaml, .yml or .json file in this folder")
    return found
