"""From an ARM resource, nested or flattened, to the flat form that its struct has.

ARM puts most fields under ``properties``, at every level; ``az … -o json`` prints them flattened. Both give the
same here.
"""

from typing import Any

# Free-form objects: their keys are user's words or are read as they came.
_AS_IT_CAME = frozenset({"tags", "addonProfiles"})


def hoist(value: Any) -> Any:
    """Return the JSON value with every ``properties`` object lifted into its owner and without nulls."""
    if isinstance(value, dict):
        inner = value.get("properties")
        merged = (
            {**inner, **{key: item for key, item in value.items() if key != "properties"}}
            if isinstance(inner, dict)
            else value
        )
        return {
            key: (
                {k: v for k, v in item.items() if v is not None}
                if key in _AS_IT_CAME and isinstance(item, dict)
                else hoist(item)
            )
            for key, item in merged.items()
            if item is not None
        }
    if isinstance(value, list):
        return [hoist(item) for item in value]
    return value
