"""How a cluster is reached: kubeconfig, tokens, exec plugins, certificates, proxies; what is refused; Secrets."""

import json
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aksnav.model.kubernetes.secret import Secret
from aksnav.sources.kubernetes.contexts import Context, choose_context, list_contexts, log_in
from aksnav.sources.kubernetes.errors import ApiError, ConfigError, LinkError, VerbRefusedError
from aksnav.sources.kubernetes.secrets import period
from aksnav.sources.kubernetes.transport import ACCESS_REVIEW, METADATA_ONLY, Transport
from tests.unit.api_server import PODS, ApiServer, Reply, encoded, forbidden, make_certificate, pod, status
from tests.unit.kubernetes_source import HeldPace, watched

INGRESSES = "/apis/networking.k8s.io/v1/ingresses"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path) as running:
        running.objects[PODS] = [pod("a")]
        yield running


@pytest.fixture
def transport(server: ApiServer) -> Iterator[Transport]:
    path = server.kubeconfig()
    made = Transport(lambda: log_in(None, path), HeldPace())
    yield made
    made.close()


def _plugin(folder: Path, body: str) -> dict[str, Any]:
    """Write an exec plugin in Python and return the user entry that names it."""
    script = folder / "plugin"
    script.write_text(f"#!{sys.executable}\nimport json, pathlib, sys\nfolder = pathlib.Path({str(folder)!r})\n{body}")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "interactiveMode": "Never"}
    }


GIVES_TOKEN = """
calls = folder / "calls"
calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
token = (folder / "token").read_text()
status = {"token": token, "expirationTimestamp": "2999-01-01T00:00:00Z"}
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "CONNECT", "get"])
def test_every_verb_but_get_is_refused_before_it_is_sent(server: ApiServer, transport: Transport, verb: str) -> None:
    """Nothing reaches the server."""
    with pytest.raises(VerbRefusedError, match="was not sent"):
        transport._send(verb, PODS, None, {}, 5.0)
    assert server.requests == []


def test_the_one_post_is_an_access_review(server: ApiServer, transport: Transport) -> None:
    """SelfSubjectAccessReview goes through the method that names it, and only to its own path."""
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "group": "", "namespace": ""}}}
    assert json.loads(transport.review_access(json.dumps(review).encode()))["status"] == {"allowed": True}
    assert [(item.method, item.path) for item in server.requests] == [("POST", ACCESS_REVIEW)]


def test_a_token_that_is_no_longer_accepted_is_renewed_by_the_exec_plugin(server: ApiServer, tmp_path: Path) -> None:
    """After a 401 the plugin is run again, once for all kinds, and reading goes on."""
    (tmp_path / "token").write_text("first")
    server.token = "first"
    with watched(server, kubeconfig=server.kubeconfig(_plugin(tmp_path, GIVES_TOKEN))) as running:
        running.live()
        assert (tmp_path / "calls").read_text() == "x"
        (tmp_path / "token").write_text("second")
        server.token = "second"
        server.objects[PODS].append(pod("b"))
        running.source.refresh()
        running.until(lambda: running.ids() == {"shop/a", "shop/b"})
        running.live("Service")
        assert (tmp_path / "calls").read_text() == "xx"


def test_a_login_that_has_ended_turns_the_source_stale_and_comes_back(server: ApiServer) -> None:
    """Tokens that are refused everywhere: rows stay, the source says to log in again, and is live after that."""
    server.token = "secret"
    with watched(server) as running:
        running.live()
        server.token = "another"
        running.source.refresh()
        running.until(lambda: running.reading() == "stale")
        running.until(lambda: running.store.sources["kubernetes"].reading.value == "stale")
        assert running.store.sources["kubernetes"].reason == "credentials not accepted (401): log in again"
        assert running.ids() == {"shop/a"}
        server.token = "secret"
        running.live()
        running.until(lambda: running.store.sources["kubernetes"].reading.value == "live")


def test_a_token_about_to_expire_is_renewed_before_it_is_used(server: ApiServer, tmp_path: Path) -> None:
    """The client's refresh hook: expirationTimestamp is near, so the next request asks the plugin first."""
    (tmp_path / "token").write_text("first")
    body = GIVES_TOKEN.replace("2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z")
    pace = HeldPace()
    path = server.kubeconfig(_plugin(tmp_path, body))
    made = Transport(lambda: log_in(None, path), pace)
    made.get("/version")
    (tmp_path / "token").write_text("second")
    pace.rest(11.0)
    made.get("/version")
    made.close()
    assert [item.headers["authorization"] for item in server.requests] == ["Bearer first", "Bearer second"]


def test_credentials_that_stay_refused_are_one_line(server: ApiServer, transport: Transport) -> None:
    """401 again after logging in again: the error says so and nothing loops."""
    server.token = "another"
    with pytest.raises(ApiError, match=r"credentials not accepted \(401\)"):
        transport.get(PODS)
    assert len(server.requests) == 2


@pytest.mark.parametrize("embedded", [True, False])
def test_a_client_certificate_is_shown(server: ApiServer, tmp_path: Path, embedded: bool) -> None:
    """As a file beside the kubeconfig, named relative to it, or as data inside it; the same for the CA."""
    make_certificate(tmp_path, "jo")
    with (tmp_path / "server.crt").open("ab") as trusted:
        trusted.write((tmp_path / "jo.crt").read_bytes())
    assert server._server.context is not None
    server._server.context.load_verify_locations(tmp_path / "jo.crt")
    crt, key, ca = tmp_path / "jo.crt", tmp_path / "jo.key", tmp_path / "server.crt"
    user = (
        {"client-certificate-data": encoded(crt), "client-key-data": encoded(key)}
        if embedded
        else {"client-certificate": "jo.crt", "client-key": "jo.key"}
    )
    cluster = {"certificate-authority-data": encoded(ca)} if embedded else {"certificate-authority": "server.crt"}
    with watched(server, kubeconfig=server.kubeconfig(user, cluster)) as running:
        running.live()
    assert {item.certificate for item in server.requests} == {"jo"}


def test_a_server_that_the_ca_does_not_vouch_for_is_not_spoken_to(server: ApiServer, tmp_path: Path) -> None:
    """A certificate from somewhere else: one line, and no request."""
    make_certificate(tmp_path, "other")
    path = server.kubeconfig(cluster={"certificate-authority": str(tmp_path / "other.crt")})
    made = Transport(lambda: log_in(None, path), HeldPace())
    with pytest.raises(LinkError, match="certificate verify failed"):
        made.get(PODS)
    made.close()
    assert server.requests == []


def test_a_proxy_of_the_kubeconfig_is_used(tmp_path: Path) -> None:
    """proxy-url: requests go there, with the whole URL of the cluster."""
    with ApiServer(tmp_path, tls=False) as proxy:
        cluster = {"server": "http://cluster.invalid:8080", "proxy-url": proxy.url}
        made = Transport(lambda: log_in(None, proxy.kubeconfig(cluster=cluster)), HeldPace())
        made.get("/version")
        made.close()
        assert proxy.requests[0].target == "http://cluster.invalid:8080/version"


def test_inside_a_pod_the_service_account_is_used(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No kubeconfig, but KUBERNETES_SERVICE_HOST: the mounted token and CA."""
    import kubernetes.config.incluster_config as mounted

    (tmp_path / "sa-token").write_text("mounted")
    monkeypatch.setattr(mounted, "SERVICE_TOKEN_FILENAME", str(tmp_path / "sa-token"))
    monkeypatch.setattr(mounted, "SERVICE_CERT_FILENAME", str(tmp_path / "server.crt"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    made = Transport(log_in, HeldPace())
    made.get("/version")
    made.close()
    assert made.login.context.name == "in-cluster"
    assert server.requests[0].headers["authorization"] == "bearer mounted"


def test_nobody_listening_is_one_line(tmp_path: Path) -> None:
    """The host, and why."""
    with ApiServer(tmp_path) as gone:
        path = gone.kubeconfig()
    made = Transport(lambda: log_in(None, path), HeldPace())
    with pytest.raises(LinkError, match=rf"^127.0.0.1:{gone.port}: Connection refused$"):
        made.get(PODS)
    made.close()


def test_contexts_are_listed_with_server_and_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KUBECONFIG names two files: the entries of both, and the first file's current context."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(
            f"current-context: {name}\n"
            f"clusters: [{{name: c-{name}, cluster: {{server: 'https://{name}.example:443'}}}}]\n"
            f"contexts: [{{name: {name}, context: {{cluster: c-{name}, user: u, namespace: shop}}}}]\n"
        )
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    assert list_contexts() == [
        Context("one", "c-one", "https://one.example:443", "u", "shop", current=True),
        Context("two", "c-two", "https://two.example:443", "u", "shop"),
    ]
    assert choose_context().host == "one.example"


@pytest.mark.parametrize(
    ("text", "context", "said"),
    [
        ("{", None, "is not YAML at line 1"),
        ("just words", None, "is not a kubeconfig"),
        ("clusters: 7", None, "clusters is not a list of named entries"),
        ("contexts: []", None, "has no current context: choose one with --context"),
        ("contexts: [{name: a, context: {}}]", "b", r"no context b in .*; there are: a$"),
        ("contexts: [{name: a, context: {cluster: x}}]", "a", "cluster x has no server"),
        ('contexts: [{name: "\\e]0;x\\a", context: {}}]', "b", "there are: ␛]0;x␇"),
    ],
)  # fmt: skip
def test_a_kubeconfig_that_cannot_be_used_is_one_line(
    tmp_path: Path, text: str, context: str | None, said: str
) -> None:
    """What is wrong, in which file, with what is in the file made harmless."""
    (tmp_path / "config").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        choose_context(context, str(tmp_path / "config"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "cluster", "said"),
    [
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin-is-not-here"}},
            {},
            "exec plugin kubelogin-is-not-here: .*No such file.*; install it or log in with it",
        ),
        ({"client-certificate": "/nope.crt", "client-key": "/nope.key"}, {}, "File does not exist: /nope.crt"),
        ({}, {"certificate-authority": "/nope.ca"}, "File does not exist: /nope.ca"),
        ({"tokenFile": "/nope.token"}, {}, "nope.token"),
    ],
)
def test_a_login_that_cannot_work_is_one_line(
    server: ApiServer, capfd: pytest.CaptureFixture[str], user: Any, cluster: Any, said: str
) -> None:
    """A missing plugin, certificate, CA or token file is named; nothing is printed, nothing is sent."""
    with pytest.raises(ConfigError, match=said) as caught:
        log_in(None, server.kubeconfig(user, cluster))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert server.requests == []


def test_a_failing_plugin_is_said_by_the_source_and_its_kinds_are_unread(server: ApiServer, tmp_path: Path) -> None:
    """The plugin's own words reach the operator on one line; no kind passes for empty."""
    user = _plugin(tmp_path, "sys.exit('AADSTS700082: the refresh token has expired\\nlog in again')")
    with watched(server, kubeconfig=server.kubeconfig(user)) as running:
        running.until(lambda: running.reading("Event") == "unread")
        assert "AADSTS700082: the refresh token has expired" in running.reason()
        assert "\n" not in running.reason()
        assert running.store.sources["kubernetes"].reading.value == "failed"


def test_secrets_are_asked_for_by_name_and_as_metadata_only(server: ApiServer) -> None:
    """Those that an Ingress names: one exists, one does not; no request could have brought data."""
    tls = [{"hosts": ["a.example"], "secretName": "there"}, {"secretName": "gone"}]
    server.objects[INGRESSES] = [{"metadata": {"name": "web", "namespace": "shop"}, "spec": {"tls": tls}}]
    base = "/api/v1/namespaces/shop/secrets/"
    server.always[base + "there"] = Reply(
        body={"kind": "PartialObjectMetadata", "metadata": {"name": "there", "namespace": "shop", "uid": "u1"}}
    )
    server.always[base + "gone"] = status(404, 'secrets "gone" not found')
    with watched(server) as running:
        running.until(lambda: running.ids("Secret") == {"shop/there", "shop/gone"})
        running.live("Secret", "shop")
        there, gone = (running.store.secrets.get(f"shop/{name}") for name in ("there", "gone"))
        assert isinstance(there, Secret)
        assert isinstance(gone, Secret)
        assert (there.exists, there.uid, gone.exists) == (True, "u1", False)
    asked = [item for item in server.requests if "secrets" in item.path]
    assert {item.headers["accept"] for item in asked} == {METADATA_ONLY}
    assert {item.path for item in asked} == {base + "there", base + "gone"}


def test_secrets_that_may_not_be_asked_for_are_denied_in_their_namespace(server: ApiServer) -> None:
    """403 says nothing about whether the Secret exists."""
    path = "/api/v1/namespaces/shop/secrets/tls"
    server.always[path] = forbidden("jo", "secrets")
    with watched(server) as running:
        running.source.ask_secrets([("shop", "tls")])
        running.until(lambda: running.reading("Secret", "shop") == "denied")
        assert running.reason("Secret", "shop") == ('get secrets tls in namespace shop: forbidden for user "jo" (403)')
        assert running.ids("Secret") == set()
        running.source.ask_secrets([])


def test_many_secrets_are_asked_for_less_often() -> None:
    """A few once a minute (and a tenth by chance), thousands at ten a second."""
    assert period(10, HeldPace()) == pytest.approx(66.0)
    assert period(6000, HeldPace()) == pytest.approx(660.0)


def test_one_object_is_given_in_wire_form_and_a_secret_as_metadata(server: ApiServer) -> None:
    """get_raw: the server's own JSON; of a Secret the metadata, without annotations, which can hold all of its data."""
    server.always["/api/v1/namespaces/shop/pods/a%20b"] = Reply(body={"kind": "Pod", "metadata": {"name": "a b"}})
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData":{"password":"hunter2"}}'}
    meta = {"name": "s", "annotations": annotations, "managedFields": [{"fieldsV1": {"f:data": {"f:password": {}}}}]}
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
    server.always["/api/v1/namespaces/shop/secrets/s"] = Reply(body=partial)
    with watched(server) as running:
        running.live()
        assert json.loads(running.source.get_raw("Pod", "shop/a b"))["kind"] == "Pod"
        assert json.loads(running.source.get_raw("Secret", "shop/s")) == {**partial, "metadata": {"name": "s"}}
        with pytest.raises(LookupError, match="gateways are not served"):
            running.source.get_raw("Gateway", "shop/g")
    assert server.asked("/api/v1/namespaces/shop/secrets/s")[0].headers["accept"] == METADATA_ONLY
