"""Objects in wire form, page by page, for a capture: nothing is decoded to a model, and nothing is kept."""

from collections.abc import Iterator
from typing import Any

import msgspec

from aksnav.model.decode import ListMeta
from aksnav.sources.kubernetes.discovery import Resource
from aksnav.sources.kubernetes.lister import PAGE, wanted
from aksnav.sources.kubernetes.transport import Transport


class _Page(msgspec.Struct, gc=False):
    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


_PAGES = msgspec.json.Decoder(_Page)


def documents(transport: Transport, resource: Resource, namespace: str) -> Iterator[dict[str, Any]]:
    """Yield every object of a collection that is kept at all, as the server sends it.

    Args:
        transport: the way to the server.
        resource: the kind and its version.
        namespace: the namespace to read, empty for all.

    Raises:
        ApiError: an error answer.
        LinkError: the server could not be reached.
    """
    query: dict[str, str | int] = {"limit": PAGE}
    while True:
        page = _PAGES.decode(transport.get(resource.collection(namespace), query))
        for item in page.items or ():
            if wanted(resource.kind, item):
                yield msgspec.json.decode(item)
        if not page.metadata.continue_:
            return
        query = {"limit": PAGE, "continue": page.metadata.continue_}
