"""Rules that do not say what every rule says (a file that was cut, or written by hand): undecided, not passed over."""

from typing import Any

import msgspec
import pytest

from aksnav.model.azure.admin import SecurityAdminRule
from aksnav.trace.azure.admin_rules import evaluate as ask_admin
from aksnav.trace.azure.nsg_rules import INBOUND, Context, evaluate
from tests.unit.azure_nsg.rules import SPACE, ask, group, packet

CLIENT = packet("internet", "10.224.0.4", 443)
ALLOW = {"priority": 300, "access": "Allow"}
NOT_SAID = (
    {"direction": ""},
    {"access": ""},
    {"access": "Block"},
    {"priority": 0},
    {"protocol": ""},
    {"sourceAddressPrefix": ""},
    {"destinationAddressPrefix": ""},
    {"destinationPortRange": ""},
)


@pytest.mark.parametrize("cut", NOT_SAID)
def test_a_deny_that_lacks_a_field_is_not_passed_over(cut: dict[str, Any]) -> None:
    """The allow behind it does not decide, and the rule is named with what it lacks."""
    found = ask([{"access": "Deny", **cut}, ALLOW], CLIENT)
    assert found.access == ""
    assert "rule r0" in found.unknown


@pytest.mark.parametrize("cut", NOT_SAID)
def test_an_allow_that_lacks_a_field_is_no_deny(cut: dict[str, Any]) -> None:
    """Nothing is dropped for certain either."""
    assert ask([{"access": "Allow", **cut}], CLIENT).access == ""


def test_a_rule_that_lacks_a_field_and_does_not_match_is_not_asked() -> None:
    """Its port rules it out, whatever else it does not say."""
    assert ask([{"access": "", "destinationPortRange": "22"}, ALLOW], CLIENT).access == "Allow"


@pytest.mark.parametrize("cut", [{"direction": ""}, {"access": ""}, {"access": "Block"}, {"priority": 0}])
def test_an_admin_rule_that_lacks_a_field_is_not_passed_over(cut: dict[str, Any]) -> None:
    """It may deny what the security groups would let through."""
    wire = {"id": "/x/securityAdminConfigurations/c/ruleCollections/r/rules/cut", "access": "Deny"}
    rule = msgspec.convert({**wire, "direction": "Inbound", "priority": 5, **cut}, SecurityAdminRule)
    found = ask_admin([rule], INBOUND, CLIENT, Context(space=SPACE))
    assert found.access == ""
    assert "admin rule cut" in found.unknown


def test_a_group_that_does_not_say_its_rules_is_undecided() -> None:
    """Azure lists no rules as an empty list; where the list is not there, the defaults alone prove nothing."""
    whole = group()
    assert evaluate(whole, INBOUND, CLIENT, Context(space=SPACE)).access == "Deny"
    whole.security_rules = None
    found = evaluate(whole, INBOUND, CLIENT, Context(space=SPACE))
    assert (found.access, found.unknown) == ("", "the securityRules of group nsg are not told")
