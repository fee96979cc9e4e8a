"""What ``az network manager list-effective-security-admin-rule`` prints: the admin rules of one virtual network.

The answer does not say of which network it is. The name of its file does, or there is only one network in the capture.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from aksnav.model.azure.admin import SecurityAdminRule
from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.azure.shape import hoist
from aksnav.sources.capture.recognise import arm_type

_ADMIN_RULE = "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules"
_OF_ADMIN_RULES = re.compile(r"effective[-_. ]?security[-_. ]?admin[-_. ]?rule", re.IGNORECASE)


def are_admin_rules(document: dict[str, Any], stem: str) -> bool:
    """Return whether a document is such an answer; an empty one has only the name of its file to say so.

    Args:
        document: with a list under ``value``.
        stem: name of the file.
    """
    listed = document.get("value")
    if not isinstance(listed, list):
        return False
    if not listed:
        return _OF_ADMIN_RULES.search(stem) is not None
    return all(isinstance(item, dict) and arm_type(str(item.get("id") or "")) == _ADMIN_RULE for item in listed)


def give(networks: Iterable[object], path: Path, document: dict[str, Any]) -> bool:
    """Give a virtual network the admin rules that are in effect on it; return whether one could be told.

    One page of several is not taken: a rule that it lacks may decide.

    Args:
        networks: of the capture.
        path: the file in which the answer stands.
        document: the answer.

    Raises:
        msgspec.ValidationError: a rule is not one.
    """
    known = [item for item in networks if isinstance(item, VirtualNetwork)]
    named = [item for item in known if item.name.lower() in path.stem.lower()]
    chosen = max(named, key=lambda item: len(item.name), default=known[0] if len(known) == 1 else None)
    if chosen is None or document.get("skipToken"):
        return False
    rules = msgspec.convert(hoist(document["value"]), tuple[SecurityAdminRule, ...])
    chosen.effective_security_admin_rules = rules
    return True
