"""One group against the simplest evaluator that there is, over random rules, packets and cases of what is not known."""

from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.trace.azure.nsg_rules import ALLOW, DENY, INBOUND, OUTBOUND, Context, evaluate
from tests.unit.azure_nsg.rules import SPACE, Rule, ask, group, packet

PUBLIC, FRONTEND = "203.0.113.9", "20.50.1.7"
PREFIXES = ["*", "10.0.0.0/8", "10.224.0.0/12", "203.0.113.0/24", FRONTEND, "0.0.0.0/0", "168.63.129.16", "::/0"]
COMPUTED = ["Internet", "VirtualNetwork", "AzureLoadBalancer"]
UNREAD = ["Storage", "Sql.WestEurope"]
HIDDEN_PORTS = ["2000-3000", "40000"]
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "priority": st.integers(100, 4096),
            "sourceAddressPrefix": st.sampled_from(PREFIXES + COMPUTED + UNREAD),
            "destinationAddressPrefix": st.sampled_from(PREFIXES + COMPUTED + UNREAD),
            "destinationPortRange": st.sampled_from(["*", "443", "80-90", "400-500", "0-65535"]),
            "sourcePortRange": st.sampled_from(["*", "*", "*", "1-1023", "1024-65535", *HIDDEN_PORTS]),
            "protocol": st.sampled_from(["*", "Tcp", "UDP", "Icmp"]),
            "access": st.sampled_from(["Allow", "Deny"]),
            "direction": st.sampled_from(["Inbound", "Inbound", "Outbound"]),
        }
    ),
    max_size=9,
    unique_by=lambda rule: (rule["direction"], rule["priority"]),
)
DEFAULTS = {
    INBOUND: [("VirtualNetwork", "VirtualNetwork", ALLOW), ("AzureLoadBalancer", "*", ALLOW), ("*", "*", DENY)],
    OUTBOUND: [("VirtualNetwork", "VirtualNetwork", ALLOW), ("*", "Internet", ALLOW), ("*", "*", DENY)],
}
Case = dict[tuple[str, str], bool]
# A loaded machine says nothing of the code: nothing is timed.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def in_network(text: str) -> bool:
    """Return whether VirtualNetwork holds an address, by the prefixes of the tests' network."""
    number = parse_address(text)
    return text == "168.63.129.16" or any(number in prefix for prefix in SPACE.prefixes)


def end(side: str, said: str, text: str, case: Case) -> bool:
    """Return whether one end of a rule holds an address."""
    public = text in {PUBLIC, FRONTEND}
    match said:
        case "*":
            return True
        case "Internet":
            return public
        case "VirtualNetwork":
            return in_network(text)
        case "AzureLoadBalancer":
            return text == "168.63.129.16"
        case "Storage" | "Sql.WestEurope":
            return public and case[side, said]
        case _:
            return parse_address(text) in (parse_prefix(said) or ())


def naive(rules: list[Rule], direction: str, ends: tuple[str, str], port: int, protocol: str, case: Case) -> str:
    """Return the access of the first rule that matches, where everything is known."""
    listed: list[Rule] = sorted((rule for rule in rules if rule["direction"] == direction), key=lambda r: r["priority"])
    listed += [
        {"sourceAddressPrefix": source, "destinationAddressPrefix": target, "access": access}
        for source, target, access in DEFAULTS[direction]
    ]
    for rule in listed:
        low, _, high = rule.get("destinationPortRange", "*").replace("*", "0-65535").partition("-")
        own = rule.get("sourcePortRange", "*")
        if (
            rule.get("protocol", "*").upper() in {"*", protocol}
            and int(low) <= port <= int(high or low)
            and (own in {"*", "1024-65535"} or case.get(("source port", own), False))
            and end("source", rule["sourceAddressPrefix"], ends[0], case)
            and end("destination", rule["destinationAddressPrefix"], ends[1], case)
        ):
            return str(rule["access"])
    raise AssertionError("the last default rule matches everything")


ATOMS = [(side, tag) for side in ("source", "destination") for tag in UNREAD] + [
    ("source port", text) for text in HIDDEN_PORTS
]


@settings(PATIENT, max_examples=300)
@given(
    rules=RULES,
    direction=st.sampled_from([INBOUND, OUTBOUND]),
    source=st.sampled_from([PUBLIC, "10.224.0.9", "198.51.100.1", "192.168.7.7", "168.63.129.16"]),
    target=st.sampled_from([FRONTEND, "10.224.0.4", "10.1.2.3"]),
    port=st.sampled_from([80, 443, 450, 8080]),
    protocol=st.sampled_from(["TCP", "UDP"]),
)
def test_a_group_says_what_every_case_of_the_unknown_says(
    rules: list[Rule], direction: str, source: str, target: str, port: int, protocol: str
) -> None:
    """Where all cases agree that is the answer, and where two differ it is undecided: no more and no less."""
    what = packet(source, target, port, protocol)
    if source == "198.51.100.1":
        source = PUBLIC  # as public, and in none of the prefixes but everything
        rules = [{**rule, **_without_client(rule)} for rule in rules]
    cases = (dict(zip(ATOMS, values, strict=True)) for values in product((False, True), repeat=len(ATOMS)))
    said = {naive(rules, direction, (source, target), port, protocol, case) for case in cases}
    assert ask(rules, what, direction).access == (said.pop() if len(said) == 1 else "")


def _without_client(rule: Rule) -> Rule:
    """Return the source of a rule that holds no client in 203.0.113.0/24 by its prefix."""
    return {"sourceAddressPrefix": "192.0.2.1"} if rule["sourceAddressPrefix"] == "203.0.113.0/24" else {}


@PATIENT
@given(rules=RULES, order=st.randoms())
def test_the_order_of_the_list_does_not_matter(rules: list[Rule], order: Any) -> None:
    """Priorities decide, not positions."""
    shuffled = list(rules)
    order.shuffle(shuffled)
    what = packet(PUBLIC, FRONTEND, 443)
    first, second = ask(rules, what), ask(shuffled, what)
    assert (first.access, first.rule and first.rule.priority) == (second.access, second.rule and second.rule.priority)


@PATIENT
@given(rules=RULES)
def test_plural_fields_say_what_singular_ones_say(rules: list[Rule]) -> None:
    """A rule with one prefix and one port in lists is the rule with them in single fields."""
    plural = [
        {
            **rule,
            "sourceAddressPrefix": "", "sourceAddressPrefixes": [rule["sourceAddressPrefix"]],
            "destinationPortRange": "", "destinationPortRanges": [rule["destinationPortRange"]],
        }
        for rule in rules
    ]  # fmt: skip
    what = packet(PUBLIC, FRONTEND, 443)
    assert ask(plural, what).access == ask(rules, what).access


@PATIENT
@given(rules=RULES, source=st.sampled_from([PUBLIC, "10.224.0.9", "192.168.7.7"]))
def test_default_rules_that_a_file_leaves_out_are_azures_own(rules: list[Rule], source: str) -> None:
    """A group with its six default rules in wire form decides as one without them."""
    shared = {"protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*"}
    priorities = (65000, 65001, 65500)
    written = [
        {**shared, "direction": direction, "priority": priority, "access": access, "sourceAddressPrefix": ends[0],
         "destinationAddressPrefix": ends[1]}
        for direction, listed in DEFAULTS.items()
        for priority, (*ends, access) in zip(priorities, listed, strict=True)
    ]  # fmt: skip
    what = packet(source, FRONTEND, 443)
    assert len(group(*rules, defaults=written).default_security_rules or ()) == len(written)
    made = evaluate(group(*rules, defaults=written), INBOUND, what, Context(space=SPACE))
    assert made.access == ask(rules, what).access
