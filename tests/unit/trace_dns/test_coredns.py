"""coredns-custom: what CoreDNS answers a Pod, where its user told it other than objects say.

Source: AKS documentation, "Customize CoreDNS"; CoreDNS manual, plugins forward, hosts and rewrite.
"""

import pytest

from aksnav.model.change import Reading
from aksnav.trace.step import Certainty, Kind, Outcome, Step, Trace, Verdict
from tests.unit.trace_walk.changed_demo import ChangedDemo

SHOP = "https://shop.contoso.com/"


def cluster(**data: str) -> ChangedDemo:
    """Return the healthy demo with a ConfigMap coredns-custom; ``server`` and ``override`` are its keys."""
    world = ChangedDemo()
    if data:
        world.put(
            "ConfigMap",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "coredns-custom", "namespace": "kube-system"},
                "data": {f"my.{key}": text for key, text in data.items()},
            },
        )
    return world


def asked(world: ChangedDemo, text: str = SHOP, source: str = "") -> Trace:
    """Return the trace of a Pod of the shop to a name."""
    pod = next(key for key in world.objects["Pod"] if key.startswith("shop/web-"))
    return world.ask(text, source or f"pod/{pod}")


def named(found: Trace) -> Step:
    """Return the step that looks the name up."""
    return next(step for step in found.steps if step.kind is Kind.DNS_RESOLVE)


def test_without_it_names_are_what_objects_claim() -> None:
    """The demo has no coredns-custom, and is known not to."""
    step = named(asked(cluster()))
    assert step.verdict is Verdict.PASS
    assert not any("CoreDNS" in line for line in step.assumptions)


@pytest.mark.parametrize(
    ("data", "summary"),
    [
        ({"server": "shop.contoso.com:53 {\n  hosts {\n    10.224.0.40 shop.contoso.com\n    fallthrough\n  }\n}"},
         "CoreDNS has shop.contoso.com at 10.224.0.40"),
        ({"override": "hosts {\n  10.224.0.40 shop.contoso.com other.example\n  fallthrough\n}"},
         "CoreDNS has shop.contoso.com at 10.224.0.40"),
        ({"override": "rewrite name shop.contoso.com web.shop.svc.cluster.local"},
         "CoreDNS rewrites shop.contoso.com to web.shop.svc.cluster.local"),
        ({"override": "rewrite name exact shop.contoso.com web.shop.svc.cluster.local"},
         "CoreDNS rewrites shop.contoso.com to web.shop.svc.cluster.local"),
        ({"server": "contoso.com {\n rewrite name suffix .contoso.com .shop.svc.cluster.local\n forward . 10.1.0.4\n}"},
         "CoreDNS rewrites shop.contoso.com to shop.shop.svc.cluster.local"),
    ],
)  # fmt: skip
def test_hosts_and_rewrites_come_before_what_objects_claim(data: dict[str, str], summary: str) -> None:
    """The ConfigMap's key is the evidence."""
    step = named(asked(cluster(**data)))
    assert (step.verdict, step.summary) == (Verdict.PASS, summary)
    assert step.subject is not None
    assert step.subject.id == "kube-system/coredns-custom"


def test_a_rewritten_name_leads_on_to_the_service() -> None:
    """Instead of out to the load balancer and back in."""
    found = asked(
        cluster(override="rewrite name shop.contoso.com web.shop.svc.cluster.local"), "http://shop.contoso.com/"
    )
    assert [backend.service for backend in found.backends] == ["web"]
    assert not any(step.kind is Kind.PUBLIC_IP for step in found.steps)


@pytest.mark.parametrize(
    "text",
    [
        "contoso.com:53 {\n    errors\n    cache 30\n    forward . 10.1.0.4 10.1.0.5\n}",
        "example.org contoso.com:53 {\n    forward . 10.1.0.4 10.1.0.5 {\n        max_concurrent 100\n    }\n}",
        "# ours\ndns://contoso.com.:53 {\nforward . 10.1.0.4 10.1.0.5 # on premises\n}",
    ],
)
def test_a_zone_that_is_forwarded_hangs_on_what_those_servers_answer(text: str) -> None:
    """The address that objects claim is assumed to be what they answer, by name."""
    step = named(asked(cluster(server=text)))
    assert step.assumptions[-1] == ("10.1.0.4, 10.1.0.5, which CoreDNS asks for shop.contoso.com, answers 20.50.1.7")
    assert step.evidence[-1].field == ".data['my.server']"


def test_the_longest_zone_decides() -> None:
    """contoso.com is forwarded elsewhere than shop.contoso.com."""
    text = "contoso.com {\n forward . 10.1.0.4\n}\nshop.contoso.com {\n forward . 10.9.0.4\n}"
    assert "10.9.0.4, which CoreDNS asks" in named(asked(cluster(server=text))).assumptions[-1]


def test_a_name_that_nobody_claims_is_what_the_forwarder_says() -> None:
    """It is blind, and names whom CoreDNS asks."""
    found = asked(cluster(server="corp.example:53 {\n forward . 10.1.0.4\n}"), "https://erp.corp.example/")
    assert (found.outcome, named(found).missing) == (
        Outcome.UNDECIDED,
        "what 10.1.0.4 answers for erp.corp.example: CoreDNS asks there",
    )


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"server": "contoso.com {\n template IN A {\n  answer x\n }\n}"}, "template"),
        ({"override": "rewrite name regex (a*)*\\.contoso\\.com {1}.shop.svc.cluster.local"},
         "rewrite name regex, by an expression that is not evaluated: the expression could take long on this text"),
        ({"server": "contoso.com {\n hosts /etc/hosts.custom\n}"}, "hosts, whose file is not read"),
        ({"server": "contoso.com {\n hosts {\n  10.0.0.9 other.contoso.com\n }\n}"},
         "hosts without fallthrough: the name is unknown"),
    ],
)  # fmt: skip
def test_what_is_not_modelled_is_said_and_never_passed(data: dict[str, str], what: str) -> None:
    """The plugin is named."""
    found = asked(cluster(**data))
    step = named(found)
    assert (step.verdict, found.outcome) == (Verdict.UNSUPPORTED, Outcome.UNDECIDED)
    assert step.missing.startswith("what CoreDNS answers for shop.contoso.com")
    assert step.missing.endswith(f": {what}")


@pytest.mark.parametrize("text", ["contoso.com {\n forward . 10.1.0.4\n", "forward . 10.1.0.4"])
def test_a_block_that_cannot_be_understood_is_assumed_to_say_nothing(text: str) -> None:
    """A brace is missing: that key alone is named."""
    step = named(asked(cluster(server=text)))
    assert "ConfigMap kube-system/coredns-custom .data['my.server'] cannot be understood" in step.assumptions[-1]


READINGS = (Reading.DENIED, Reading.UNREAD, Reading.FAILED, Reading.PENDING)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    ("text", "name"),
    [
        (SHOP, "shop.contoso.com"),
        ("http://web.shop.svc.cluster.local/", "web.shop.svc.cluster.local"),
        ("http://web/", "web.shop.svc.cluster.local"),
        ("http://web.shop/", "web.shop.svc.cluster.local"),
        ("http://nobody/", "nobody"),
    ],
)
def test_a_configuration_that_may_not_be_read_is_an_assumption(text: str, name: str, reading: Reading) -> None:
    """It might say otherwise, of the cluster's own names too, and of one that no Service has."""
    world = cluster()
    sure = asked(world, text)
    world.lose("ConfigMap", reading)
    found = asked(world, text)
    why = "ConfigMap kube-system/coredns-custom cannot be read (forbidden)"
    assert named(found).assumptions[-1] == f"CoreDNS has nothing of its own for {name}: {why}"
    assert found.outcome is sure.outcome
    assert found.confidence.certainty is Certainty.ASSUMED


def test_an_old_configuration_may_have_got_a_line_for_the_name() -> None:
    """Rows of a stale table are used; that nothing stands in them is not certain now."""
    world = cluster()
    world.lose("ConfigMap", Reading.STALE)
    found = asked(world, "http://web/")
    assert found.outcome is Outcome.DELIVERED
    assert "ConfigMap kube-system/coredns-custom is as it was last read" in named(found).assumptions[-1]


@pytest.mark.parametrize("name", ["coredns-custom", "coredns"])
def test_a_configuration_that_cannot_be_decoded_is_not_taken_for_absent(name: str) -> None:
    """CoreDNS reads both."""
    world = cluster(override="errors")
    world.put("ConfigMap", {"kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"}})
    world.spoil("ConfigMap", f"kube-system/{name}")
    found = asked(world, "http://web/")
    assert f"ConfigMap kube-system/{name} cannot be read (spec: not a map)" in named(found).assumptions[-1]
    assert found.confidence.certainty is Certainty.ASSUMED


def test_a_cluster_that_has_no_custom_configuration_is_certain_of_its_names() -> None:
    """An absent ConfigMap says that there is nothing of the user's own."""
    found = asked(cluster(), "http://web/")
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)


@pytest.mark.parametrize(
    ("data", "summary"),
    [
        ({"override": "rewrite name cart.shop.svc.cluster.local web.shop.svc.cluster.local"},
         "CoreDNS rewrites cart.shop.svc.cluster.local to web.shop.svc.cluster.local"),
        ({"override": "rewrite stop {\n name regex ^cart\\.(.*)$ web.{1}\n answer auto\n}"},
         "CoreDNS rewrites cart.shop.svc.cluster.local to web.shop.svc.cluster.local"),
        ({"override": "hosts {\n 10.224.0.40 cart.shop.svc.cluster.local\n fallthrough\n}"},
         "CoreDNS has cart.shop.svc.cluster.local at 10.224.0.40"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["http://cart/", "http://cart.shop/", "http://cart.shop.svc.cluster.local/"])
def test_a_line_for_a_services_full_name_counts_however_the_pod_writes_it(
    data: dict[str, str], summary: str, text: str
) -> None:
    """A Pod asks for the names of its search path, and CoreDNS reads each."""
    assert named(asked(cluster(**data), text)).summary == summary


def test_a_name_of_the_search_path_that_is_rewritten_to_nothing_does_not_count() -> None:
    """CoreDNS answers NXDOMAIN for it, and the Pod asks for the next."""
    text = "rewrite name suffix .contoso.com.shop.svc.cluster.local .nobody.svc.cluster.local"
    assert named(asked(cluster(override=text))).summary.endswith("is taken to be 20.50.1.7")


def test_a_zone_of_the_clusters_that_is_forwarded_is_not_known_for_certain() -> None:
    """Neither where a Service has the name, nor where none has it."""
    world = cluster(server="svc.cluster.local:53 {\n forward . 10.1.0.4\n}")
    assert named(asked(world, "http://web/")).assumptions == (
        "10.1.0.4, which CoreDNS asks for web.shop.svc.cluster.local, answers 10.0.64.10",
    )
    assert "10.1.0.4, which CoreDNS asks for nobody.shop.svc.cluster.local, has no such name" in (
        named(asked(world, "http://nobody/")).assumptions
    )


def test_a_node_that_asks_the_clusters_dns_is_told_the_same() -> None:
    """For a name of the cluster's."""
    world = cluster(override="rewrite name cart.shop.svc.cluster.local web.shop.svc.cluster.local")
    node = next(iter(world.objects["Node"]))
    step = named(asked(world, "http://cart.shop.svc.cluster.local/", f"node/{node}"))
    assert step.summary == "CoreDNS rewrites cart.shop.svc.cluster.local to web.shop.svc.cluster.local"


def test_the_clusters_own_names_are_answered_before_any_forwarder() -> None:
    """A Service's name under a forwarded root."""
    found = asked(cluster(override="forward . 10.1.0.4"), "http://web.shop.svc.cluster.local/")
    assert not any("CoreDNS" in line for line in named(found).assumptions)


def test_clients_outside_do_not_ask_coredns() -> None:
    """The internet has its own resolvers."""
    world = cluster(override="rewrite name shop.contoso.com web.shop.svc.cluster.local")
    assert "CoreDNS" not in named(asked(world, source="internet")).summary


@pytest.mark.parametrize(
    "data",
    [
        {"override": "hosts {\n  10.224.0.40 other.example\n}"},
        {"override": "forward . 10.1.0.4\ntemplate IN A {\n rcode NXDOMAIN\n}"},
        {"server": "shop.svc.cluster.local:53 {\n  file /etc/zone\n}"},
    ],
)
def test_a_plugin_before_that_of_the_clusters_names_decides_of_them_too(data: dict[str, str]) -> None:
    """Hosts without fallthrough answers SERVFAIL for everything else; a zone inside of the cluster's is its own."""
    step = named(asked(cluster(**data), "http://cart.shop.svc.cluster.local/"))
    assert step.verdict is Verdict.UNSUPPORTED
    assert "cart.shop.svc.cluster.local" in step.missing


def test_forward_in_the_default_block_is_not_asked_for_the_clusters_names() -> None:
    """The plugin for them stands before it."""
    found = asked(cluster(override="forward . 10.1.0.4"), "http://cart.shop.svc.cluster.local/")
    assert found.outcome is Outcome.DELIVERED
    assert not any("10.1.0.4" in line for line in found.confidence.because)
