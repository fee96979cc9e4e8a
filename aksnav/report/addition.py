"""An object that would let a packet pass, as YAML for people."""

import json
from collections.abc import Iterator

from aksnav.model.text import plain, split_lines


def addition_lines(addition: str) -> Iterator[str]:
    """Yield a step's addition as harmless lines of YAML; none where the step has none."""
    if addition:
        import yaml

        for line in split_lines(yaml.safe_dump(json.loads(addition), sort_keys=False, allow_unicode=False)):
            yield plain(line)
