"""A support bundle on disk, changed by structure: faults are put into documents that kubectl and az have printed."""

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aksnav.cli import main

Document = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What a command answered: its exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Document:
        """What it wrote to standard output, as the JSON that it is."""
        found: Document = json.loads(self.out)
        return found


def aksnav(*words: str) -> Said:
    """Run a command of aksnav in this process, as the entry point does."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    return Said(status, out.getvalue(), err.getvalue())


class Bundle:
    """A folder of kubectl's YAML lists, one a kind, and of az's JSON lists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def copy(self, folder: Path) -> "Bundle":
        """Return a copy of it in another folder."""
        shutil.copytree(self.folder, folder)
        return Bundle(folder)

    @contextlib.contextmanager
    def items(self, kind: str) -> Iterator[list[Document]]:
        """Give the objects of a kind (``services``) to be changed, and write them back."""
        path = self.folder / f"{kind}.yaml"
        listed = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
        yield listed["items"]
        path.write_text(json.dumps(listed))  # JSON is YAML

    @contextlib.contextmanager
    def one(self, kind: str, name: str) -> Iterator[Document]:
        """Give the object ``namespace/name`` of a kind to be changed, and write it back."""
        with self.items(kind) as items:
            yield next(item for item in items if _id(item) == name)

    @contextlib.contextmanager
    def azure(self, name: str) -> Iterator[list[Document]]:
        """Give the resources of one az command (``network-nsg-list``) to be changed, and write them back."""
        path = self.folder / f"az-{name}.json"
        listed = json.loads(path.read_text())
        yield listed
        path.write_text(json.dumps(listed))

    def slices(self, service: str) -> Iterator[Document]:
        """Give every EndpointSlice of the Service ``namespace/name`` to be changed, and write them back."""
        namespace, _, name = service.partition("/")
        with self.items("endpointslices") as items:
            for item in items:
                metadata = item["metadata"]
                if metadata["namespace"] == namespace and metadata["labels"]["kubernetes.io/service-name"] == name:
                    yield item

    def trace(self, target: str, *words: str) -> Said:
        """Trace a request in it."""
        return aksnav("trace", target, *words, "--from-capture", str(self.folder), "-o", "json")

    def findings(self) -> list[Document]:
        """Return what ``aksnav check`` finds in it."""
        found: list[Document] = self.check().data["findings"]
        return found

    def check(self) -> Said:
        """Sweep over it."""
        return aksnav("check", "--from-capture", str(self.folder), "-o", "json")


def _id(item: Document) -> str:
    metadata = item["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def steps_of(steps: list[Document]) -> Iterator[Document]:
    """Yield every step of an answer, branches included, in the order of the road."""
    for step in steps:
        yield step
        for branch in step.get("branches", ()):
            yield from steps_of(branch["steps"])
