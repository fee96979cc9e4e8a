"""One consistent picture: tables, indexes, versions, what changed, and how old each part is."""

from aksnav.store.store import Store
from aksnav.store.table import Access, Table

__all__ = ["Access", "Store", "Table"]
