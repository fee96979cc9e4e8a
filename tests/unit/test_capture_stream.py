"""Our own capture format: what goes in comes out, and what must not go in does not."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.change import Reading, ReadingChanged, SourceChanged
from aksnav.model.kinds import KINDS
from aksnav.sources import demo
from aksnav.sources.capture import CaptureError, CaptureHeader, KindReading, changes, open_capture, write_capture
from aksnav.sources.capture.redact import Redaction
from aksnav.sources.capture.strip import REMOVED, strip
from aksnav.store import Store
from aksnav.trace import trace
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.viewpoint import seen_from

AT = 1_795_000_000.0
KEY = bytes(range(32))
Json = dict[str, Any]


def header_of(scenario: str) -> CaptureHeader:
    """Return the header that ``aksnav capture`` would write of a scenario."""
    readings, facts = dict[tuple[str, str], KindReading](), dict[str, str]()
    for change in demo.changes(scenario, lambda: AT):
        if isinstance(change, ReadingChanged):
            made = KindReading(
                kind=change.kind, reading=change.reading, scope=change.scope, reason=change.reason, at=change.at
            )
            readings[change.kind, change.scope] = made
        elif isinstance(change, SourceChanged):
            facts |= change.facts
        elif type(change).__name__ == "ListEnded":
            made = KindReading(kind=change.kind, reading=Reading.LIVE, scope=change.scope, at=AT)  # type: ignore[union-attr]
            readings[made.kind, made.scope] = made
    return CaptureHeader(at=AT, facts=facts, readings=tuple(readings.values()))


def objects_of(scenario: str) -> list[tuple[str, Json]]:
    return [(kind, item) for kind, items in demo.wire(scenario).items() for item in items]


def filled(source: Any) -> Store:
    store = Store()
    for change in source:
        store.apply(change)
    return store


def text_of(path: Path) -> str:
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read().decode()


@pytest.mark.parametrize("scenario", ["faulty", "healthy", "no-azure", "namespace-only"])
def test_a_capture_gives_back_the_store_that_it_was_made_of(tmp_path: Path, scenario: str) -> None:
    """Objects and readings of every kind are equal: what was denied or unread stays so."""
    file = tmp_path / "demo.aksnav"
    count = write_capture(file, objects_of(scenario), header_of(scenario))
    before, after = filled(demo.changes(scenario, lambda: AT)), filled(changes(file))
    assert count == sum(len(table) for table in before.tables.values())
    for kind in KINDS:
        assert {row.id: row for row in after.tables[kind]} == {row.id: row for row in before.tables[kind]}, kind
        assert after.tables[kind].scopes() == before.tables[kind].scopes(), kind
    assert after.sources["capture"].facts["context"] == "aks-contoso-prod"
    assert after.sources["capture"].at == AT


def test_it_is_a_stream_of_json_lines_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    """Anybody can search it with zstdcat and grep; nobody else can open it; nothing is left beside it."""
    file = tmp_path / "demo.aksnav"
    count = write_capture(file, objects_of("healthy"), header_of("healthy"))
    lines = [msgspec.json.decode(line) for line in text_of(file).splitlines()]
    assert lines[0]["aksnavCapture"] == 1
    assert lines[-1] == {"end": count}
    assert {line["kind"] for line in lines[1:-1]} <= set(KINDS)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_truncated_capture_says_how_many_objects_were_read(tmp_path: Path) -> None:
    """Cut anywhere, it is an error with a count, and never a smaller cluster."""
    file, cut = tmp_path / "demo.aksnav", tmp_path / "cut.aksnav"
    many = [(kind, item) for _ in range(5) for kind, item in objects_of("healthy")]
    write_capture(file, many, header_of("healthy"))
    data = file.read_bytes()
    counts = []
    for part in range(1, 20):
        cut.write_bytes(data[: len(data) * part // 20])
        with pytest.raises(CaptureError, match=r"cut off: \d+ objects were read") as raised:
            open_capture(cut)
        counts.append(int(raised.value.reason.split(": ")[1].split()[0]))
    assert counts == sorted(counts)
    assert 0 < counts[-1] < len(many)


def test_a_damaged_capture_is_an_error(tmp_path: Path) -> None:
    """A flipped byte, a count that is wrong, a line that is not JSON, another format: one clear line each."""
    file = tmp_path / "demo.aksnav"
    write_capture(file, objects_of("healthy"), header_of("healthy"))
    data, text = bytearray(file.read_bytes()), text_of(file)
    data[len(data) // 2] ^= 0xFF
    wrong = [
        bytes(data),
        _compressed(text.replace('{"end":', '{"end":9')),
        _compressed(text.replace('{"kind":"Node","object":', '{"kind":"Node","object":{', 1)),
        _compressed(text.replace('"aksnavCapture":1', '"aksnavCapture":2')),
        _compressed("hello\n"),
        _compressed(""),
    ]
    for content in wrong:
        file.write_bytes(content)
        with pytest.raises(CaptureError) as raised:
            open_capture(file)
        assert str(raised.value).startswith(str(file))
        assert "\n" not in str(raised.value)


def _compressed(text: str) -> bytes:
    return zstandard.ZstdCompressor().compress(text.encode())


def test_kinds_and_fields_of_a_newer_aksnav_are_passed_over(tmp_path: Path) -> None:
    """An object of a kind that this version does not know is no error."""
    file = tmp_path / "demo.aksnav"
    objects = [("TLSRoute", {"metadata": {"name": "x"}}), *objects_of("healthy")]
    write_capture(file, objects, header_of("healthy"))
    assert len(filled(changes(file)).services) == len(demo.wire("healthy")["Service"])


def test_an_object_that_cannot_be_decoded_is_named_again(tmp_path: Path) -> None:
    """It was in the cluster, so it is not "none" in the capture."""
    file = tmp_path / "demo.aksnav"
    bad: Json = {"metadata": {"name": "bad", "namespace": "shop"}, "spec": {"ports": 1}}
    write_capture(file, [("Service", bad)], header_of("healthy"))
    assert "ports" in filled(changes(file)).services.undecodable["shop/bad"]


def test_a_path_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """The folder is not there: the error names the file."""
    with pytest.raises(CaptureError, match="No such file or directory"):
        write_capture(tmp_path / "no" / "demo.aksnav", [], header_of("healthy"))


def test_an_error_on_the_way_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    """A capture stands under its name when it is complete, and not before."""
    file = tmp_path / "demo.aksnav"
    file.write_text("old")

    def failing() -> Any:
        yield from objects_of("healthy")
        raise RuntimeError("the source went away")

    with pytest.raises(RuntimeError):
        write_capture(file, failing(), header_of("healthy"))
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text() == "old"


SECRET = "hunter2-hunter2"


def test_no_secret_environment_or_token_gets_into_a_capture(tmp_path: Path) -> None:
    """Each place where one may stand is emptied; what a trace reads stays."""
    pod = demo.wire("healthy")["Pod"][-1]
    container = pod["spec"]["containers"][0]
    container |= {
        "env": [{"name": "A", "value": SECRET}],
        "envFrom": [{"x": SECRET}],
        "args": [SECRET],
        "command": [SECRET],
    }
    container["readinessProbe"]["httpGet"] = {"port": 80, "httpHeaders": [{"name": "Authorization", "value": SECRET}]}
    container["livenessProbe"] = {"exec": {"command": ["curl", SECRET]}}
    pod["spec"]["volumes"] = [{"name": "v", "azureFile": {"secretName": SECRET}}]
    pod["metadata"]["managedFields"] = [{"manager": SECRET}]
    pod["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": SECRET,
        "example.com/api-token": SECRET,
        "nginx.ingress.kubernetes.io/configuration-snippet": f"proxy_set_header X {SECRET};",
        "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{SECRET}",
        "url": f"https://user:{SECRET}@example.com/",
        "header": f"Bearer {SECRET}",
        "sas": f"https://x.example.com/?sv=1&sig={SECRET}",
        "harmless": "kept",
    }
    secret = {"metadata": {"name": "s", "namespace": "x", "annotations": {"a": SECRET}}, "data": {"key": SECRET}}
    cluster = demo.wire("healthy")["managedClusters"][0]
    cluster["properties"]["servicePrincipalProfile"] = {"clientId": "x", "secret": SECRET}
    cluster["properties"]["windowsProfile"] = {"adminPassword": SECRET}
    cluster["tags"]["deploy-password"] = SECRET
    file = tmp_path / "demo.aksnav"
    write_capture(file, [("Pod", pod), ("Secret", secret), ("managedClusters", cluster)], header_of("healthy"))
    text = text_of(file)
    assert SECRET not in text
    assert '"harmless":"kept"' in text
    (found,) = filled(changes(file)).secrets
    assert found.keys == ("key",)


def test_what_is_stripped_does_not_change_what_a_trace_reads() -> None:
    """Ports, probes and owners of a Pod are untouched, and the object that was given is as it was."""
    pod = demo.wire("healthy")["Pod"][0]
    before = msgspec.json.encode(pod)
    assert strip("Pod", pod)["spec"]["containers"][0]["ports"] == pod["spec"]["containers"][0]["ports"]
    assert msgspec.json.encode(pod) == before


def test_names_of_secrets_in_routes_are_kept() -> None:
    """An Ingress's secretName and NGINX's auth-secret are names, not secrets."""
    ingress = demo.wire("healthy")["Ingress"][0]
    ingress["metadata"]["annotations"] = {"nginx.ingress.kubernetes.io/auth-secret": "shop/basic-auth"}
    kept = strip("Ingress", ingress)
    assert kept["spec"]["tls"][0]["secretName"] == "shop-tls"
    assert kept["metadata"]["annotations"]["nginx.ingress.kubernetes.io/auth-secret"] == "shop/basic-auth"
    assert REMOVED not in msgspec.json.encode(kept).decode()


def test_a_redacted_capture_names_no_host_public_address_or_subscription(tmp_path: Path) -> None:
    """Not in an object, not in the facts, not in a reason."""
    file = tmp_path / "demo.aksnav"
    write_capture(file, objects_of("faulty"), header_of("faulty"), redact=True, key=KEY)
    text = text_of(file)
    for word in ("contoso.com", "contoso.net", "20.50.1.", "8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10", "2f7a9b64-0c18"):
        assert word not in text
    assert open_capture(file).header.redacted


def test_redaction_keeps_what_belongs_together(tmp_path: Path) -> None:
    """Addresses of Services, frontends and rules are equal still; hosts lie under their wildcards still."""
    file = tmp_path / "demo.aksnav"
    write_capture(file, objects_of("faulty"), header_of("faulty"), redact=True, key=KEY)
    before, after = filled(demo.changes("faulty", lambda: AT)), filled(changes(file))
    for kind in KINDS:
        assert len(after.tables[kind]) == len(before.tables[kind]), kind
    addresses = {item.ip_address for item in after.public_ips}
    assert len(addresses) == len(before.public_ips)
    for service in after.services:
        if service.type == "LoadBalancer" and not service.external_addresses[0].startswith("10."):
            assert service.external_addresses[0] in addresses
    (gateway,) = after.gateways
    wildcard = gateway.listeners[0].hostname
    assert wildcard.startswith("*.")
    assert all(route.hostnames[0].endswith(wildcard[1:]) for route in after.http_routes)
    assert len({rule.host for item in after.ingresses for rule in item.rules}) == 4


def test_redacted_prefixes_contain_the_addresses_that_they_contained() -> None:
    """Prefixes are preserved bit by bit, private and platform addresses stay, and two keys differ."""
    made = Redaction([], KEY)
    for prefix, inside, outside in (
        ("20.50.0.0/16", "20.50.1.7", "20.51.1.7"),
        ("8.8.8.0/24", "8.8.8.8", "8.8.9.8"),
        ("2603:1020:206::/48", "2603:1020:206::5", "2603:1020:207::5"),
    ):
        block, there = parse_prefix(made.text(prefix)), parse_address(made.text(inside))
        assert block is not None
        assert there is not None
        assert there in block
        assert parse_address(made.text(outside)) not in block
        assert made.text(inside) != inside
        assert made.text(inside) != Redaction([], bytes(32)).text(inside)
    for same in (
        "10.224.0.4",
        "192.168.0.0/16",
        "168.63.129.16",
        "0.0.0.0/0",
        "169.254.169.254",
        "::/0",
        "fe80::1",
        "v1.34.2",
    ):
        assert made.text(same) == same


def test_redaction_replaces_the_known_tail_of_a_name() -> None:
    """A name below a known domain keeps its own labels; what only looks like the name stays."""
    made = Redaction([{"spec": {"rules": [{"host": "shop.contoso.com"}, {"host": "*.apps.contoso.com"}]}}], KEY)
    shop, apps = made.text("shop.contoso.com"), made.text("*.apps.contoso.com")
    assert shop.endswith(".example")
    assert made.text("https://SHOP.contoso.com:8443/a.b?c=shop.contoso.com") == f"https://{shop}:8443/a.b?c={shop}"
    assert made.text("www.shop.contoso.com.") == f"www.{shop}."
    assert made.text("x.apps.contoso.com") == f"x{apps[1:]}"
    assert made.text("myshop.contoso.com") == f"myshop.{shop.partition('.')[2]}"
    assert made.text("contoso.community") == "contoso.community"
    assert made.text("...") == "..."


def test_long_hostile_text_is_stripped_and_redacted_without_a_search_that_backtracks() -> None:
    """Texts made to keep a pattern searching come through: the size alone would make this test hang."""
    texts = ["a-" * 200_000 + ".", "eyJ-" * 100_000 + ".", "1." * 200_000, "a:" * 200_000, "bearer " * 50_000]
    wire: Json = {"metadata": {"name": "x", "annotations": {str(n): text for n, text in enumerate(texts)}}}
    made = Redaction([{"host": "shop.contoso.com"}], KEY)
    assert made.apply(strip("Ingress", wire))["metadata"]["name"] == "x"


def test_assume_none_does_not_overrule_a_refusal(tmp_path: Path) -> None:
    """A kind that was denied stays denied; one that was unread may be said to have none."""
    file = tmp_path / "demo.aksnav"
    write_capture(file, objects_of("no-azure"), header_of("no-azure"))
    assert filled(changes(file, ["nsg"])).security_groups.access().complete
    write_capture(file, objects_of("namespace-only"), header_of("namespace-only"))
    assert filled(changes(file, ["no"])).nodes.access().reading is Reading.DENIED


def test_the_wire_form_of_an_object_is_found_again(tmp_path: Path) -> None:
    """By kind and id, without what was stripped."""
    file = tmp_path / "demo.aksnav"
    write_capture(file, objects_of("healthy"), header_of("healthy"))
    capture = open_capture(file)
    found = capture.get_raw("Ingress", "shop/shop")
    assert msgspec.json.decode(found or b"") == demo.get_raw("Ingress", "shop/shop", "healthy")
    assert capture.get_raw("Ingress", "shop/none") is None


def test_what_was_known_of_a_kind_that_cannot_be_listed_is_kept(tmp_path: Path) -> None:
    """Answers about single Secrets are there, and the table does not claim to know of others."""
    file = tmp_path / "demo.aksnav"
    objects = [item for item in objects_of("healthy") if item[0] == "Secret"]
    readings = (KindReading(kind="Secret", reading=Reading.PENDING),)
    write_capture(file, objects, CaptureHeader(at=AT, readings=readings))
    secrets = filled(changes(file)).secrets
    assert len(secrets) == len(objects)
    assert not secrets.access().complete


def test_traces_through_a_redacted_capture_end_as_before(tmp_path: Path) -> None:
    """Every way in has the same outcome, status and causes with names and addresses replaced."""
    file = tmp_path / "demo.aksnav"
    write_capture(file, objects_of("faulty"), header_of("faulty"), redact=True, key=KEY)

    def outcomes(store: Store) -> list[tuple[object, ...]]:
        points = [trace(store, seen_from(store, point)) for point in entry_points(store)]
        return sorted((found.outcome, found.status, found.causes, len(found.destinations)) for found in points)

    before = outcomes(filled(demo.changes("faulty", lambda: AT)))
    assert len(before) > 10
    assert outcomes(filled(changes(file))) == before


def test_a_stale_kind_stays_stale(tmp_path: Path) -> None:
    """What was known from before when the capture was made is known from before in it."""
    file = tmp_path / "demo.aksnav"
    readings = (KindReading(kind="Service", reading=Reading.STALE, reason="connection lost", at=AT - 60),)
    objects = [item for item in objects_of("healthy") if item[0] == "Service"]
    write_capture(file, objects, CaptureHeader(at=AT, readings=readings))
    access = filled(changes(file)).services.access()
    assert (access.reading, access.reason, access.at) == (Reading.STALE, "connection lost", AT - 60)
