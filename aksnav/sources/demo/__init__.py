"""The built-in cluster: objects in the form in which the API server and Azure Resource Manager send them."""

from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.reading import changes, wire
from aksnav.sources.demo.scenarios import DEFAULT, FAULTS, SCENARIOS, Scenario, scenario_named
from aksnav.sources.demo.script import get_raw, script

__all__ = [
    "DEFAULT",
    "FAULTS",
    "SCENARIOS",
    "Expected",
    "Fault",
    "Scenario",
    "changes",
    "get_raw",
    "scenario_named",
    "script",
    "wire",
]
