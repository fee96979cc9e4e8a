"""The table: a connection, the objects that decide it, what Calico does, and the page of its reference that says so."""

from tests.unit.trace_policy_calico import rows_peers, rows_policies, rows_rules, rows_tiers

ROWS = [*rows_policies.ROWS, *rows_rules.ROWS, *rows_peers.ROWS, *rows_tiers.ROWS]
