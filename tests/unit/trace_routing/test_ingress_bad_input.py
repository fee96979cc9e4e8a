"""What cannot be right in one Ingress is that object's fault, by name, and changes nothing else."""

from collections.abc import Iterable

import pytest

from aksnav.checks.ingress_rules import rule_findings
from aksnav.checks.routing import backend_findings
from aksnav.store import Store
from aksnav.trace.step import UNKNOWN, Trace, Verdict
from tests.oracles.around import NGINX, UNKNOWN_CONTROLLER, Wire, around, ask
from tests.tables.rows import NEW, ing
from tests.unit.trace_walk.cluster import steps_of

GOOD = (
    ing("P / b0", "P /x b1"),
    ing("P / b0", host="*.w.com", name="wild"),
    ing("P / b1", host="t", name="tls", tls=("t",)),
)
URLS = ("http://h/", "http://h/x/y", "http://a.w.com/", "http://t/", "https://t/", "http://nobody/")
LOOP: dict[str, Wire] = {
    "loop": {"type": "ExternalName", "externalName": "back.shop.svc.cluster.local", "ports": []},
    "back": {"type": "ExternalName", "externalName": "loop.shop.svc.cluster.local", "ports": []},
}


def _bad(*paths: str, host: str = "bad", **marks: str) -> Wire:
    annotations = {key.replace("_", "-"): value for key, value in marks.items()}
    return ing(*paths, host=host, name="bad", created=NEW, marks=annotations)


def _store(controller: str, ingresses: Iterable[Wire], absent: tuple[str, ...] = ()) -> Store:
    return around(ingresses, controller, absent=absent, services=LOOP)


def _told(found: Trace) -> tuple[object, ...]:
    return (found.outcome, found.status, found.backends, found.destinations, found.confidence, found.causes)


# What is wrong, the Ingress, a request to it, and a word of the step that says so.
WRONG: list[tuple[str, Wire, str, str]] = [
    ("an expression", _bad("I /(a b0", use_regex="true"), "http://bad/a", "regular expression /(a"),
    ("a missing Service", _bad("P / gone"), "http://bad/", "shop/gone does not exist"),
    ("a port name", _bad("P / b0:nope"), "http://bad/", "no port nope"),
    ("a port number", _bad("P / b0:1"), "http://bad/", "no port 1"),
    ("names that lead to one another", _bad("P / loop"), "http://bad/", "TRACE_TOO_LONG"),
    ("an address list", _bad("P / b0", whitelist_source_range="10.0.0.0/99"), "http://bad/", "10.0.0.0/99"),
    ("an unknown protocol", _bad("P / b0", backend_protocol="FCGI"), "http://bad/", "backend-protocol"),
    ("a resource for a backend", _bad("P / resource:icons"), "http://bad/", "no path under host bad"),
]


@pytest.mark.parametrize(("what", "bad", "url", "word"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_ingress_is_at_fault_by_name_and_changes_nothing_else(
    what: str, bad: Wire, url: str, word: str
) -> None:
    """Requests to others are answered as before, to the last word; the one to it ends at a step that names it."""
    absent = ("gone",)
    before, after = _store(NGINX, GOOD), _store(NGINX, (*GOOD, bad), absent)
    for other in URLS:
        assert _told(ask(after, other, NGINX)) == _told(ask(before, other, NGINX)), other
    found = ask(after, url, NGINX)
    assert not found.destinations, what
    faults = [step for step in steps_of(found) if step.verdict in UNKNOWN or step.verdict is Verdict.RESPOND]
    assert any(word in f"{step.summary} {step.missing}" for step in faults)
    assert any(
        "shop/bad" in f"{step.subject} {step.summary} {step.evidence}" or "loop" in step.missing for step in faults
    )


@pytest.mark.parametrize(
    ("bad", "check"),
    [
        (_bad("P / b0", host="no such name"), "I26"),
        (_bad("P / b0", host="*"), "I26"),
        (_bad("P / b0", host="a.*.com"), "I26"),
        (_bad("P / b0", host="*.*.com"), "I26"),
        (_bad("P / b0", host="UPPER.com"), "I26"),
        (_bad("P / b0", host="a..b"), "I26"),
        (_bad("I /(a b0", use_regex="true"), "I26"),
        (_bad("P / b0", whitelist_source_range="ww"), "I26"),
        (_bad("P / gone"), "I06"),
        (_bad("P / b0:nope"), "I07"),
        (_bad("P / b0", host="fine.com"), ""),
        (_bad("P / b0", host="*.fine.com"), ""),
    ],
)
def test_the_sweep_finds_the_wrong_field(bad: Wire, check: str) -> None:
    """One finding, of the object that is wrong."""
    store = _store(NGINX, (*GOOD, bad), ("gone",))
    found = [*rule_findings(store), *backend_findings(store)]
    assert [(item.id, str(item.subject)) for item in found] == ([(check, "Ingress shop/bad")] if check else [])


def test_a_host_that_is_no_name_takes_nobodys_request() -> None:
    """It matches no request, and no request changes for it."""
    for host in ("*", "a.*.com", "no such name"):
        before, after = _store(NGINX, GOOD), _store(NGINX, (*GOOD, _bad("P / b0", host=host)))
        for url in (*URLS, "http://a.b.com/"):
            assert _told(ask(after, url, NGINX)) == _told(ask(before, url, NGINX))


def test_a_resource_backend_is_undecided_where_the_controller_is_not_known() -> None:
    """Some controllers serve objects that are no Services: unsupported, by name."""
    bad = _bad("P / resource:icons")
    found = ask(_store(UNKNOWN_CONTROLLER, (*GOOD, bad)), "http://bad/", UNKNOWN_CONTROLLER)
    missing = [step.missing for step in steps_of(found) if step.verdict in UNKNOWN]
    assert missing == ["Ingress resource backend StorageBucket icons"]


def test_nginx_says_that_it_skips_a_path_without_a_service() -> None:
    """The rule is among those that were considered, with the reason."""
    found = ask(_store(NGINX, (*GOOD, _bad("P / resource:icons"))), "http://bad/", NGINX)
    said = [item.why for step in steps_of(found) for item in step.considered]
    assert any("StorageBucket icons, no Service: ingress-nginx skips it" in why for why in said)
