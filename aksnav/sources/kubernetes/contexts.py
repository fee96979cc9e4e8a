"""The kubeconfig, through the official client's loader: which contexts there are, and how to reach one of them.

Nothing here contacts a cluster. The kubeconfig is never written: a refreshed OIDC token lives in memory only.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from aksnav.model.text import plain
from aksnav.sources.kubernetes.errors import ConfigError

IN_CLUSTER = "in-cluster"
_SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Context(msgspec.Struct, frozen=True, gc=False):
    """One context of a kubeconfig.

    Attributes:
        name: its name.
        cluster: name of its cluster entry.
        server: URL of the API server, empty where the cluster entry is missing.
        user: name of its user entry.
        namespace: the namespace that it names, or an empty string.
        current: it is the current context.
    """

    name: str
    cluster: str = ""
    server: str = ""
    user: str = ""
    namespace: str = ""
    current: bool = False

    @property
    def host(self) -> str:
        """Host name of the API server."""
        return urlsplit(self.server).hostname or ""


class Login(msgspec.Struct, frozen=True, gc=False):
    """How one cluster is reached.

    Attributes:
        configuration: the official client's Configuration.
        context: the context that it was made from.
        namespaces: the namespaces that the contexts of the same cluster and user name, the chosen one's first.
    """

    configuration: Any
    context: Context
    namespaces: tuple[str, ...] = ()


def choose_context(context: str | None = None, kubeconfig: str | None = None) -> Context:
    """Return the context of this name (None: the current one) of a kubeconfig.

    Raises:
        ConfigError: there is none, or it has no server, or the kubeconfig cannot be read.
    """
    return _choose(list_contexts(kubeconfig), context, kubeconfig)


def list_contexts(kubeconfig: str | None = None) -> list[Context]:
    """Return the contexts of a kubeconfig (None: KUBECONFIG or the default place), in its order.

    Raises:
        ConfigError: the file cannot be read or is not a kubeconfig.
    """
    merged = _merged(kubeconfig)
    clusters = {str(item.get("name")): item.get("cluster") or {} for item in _entries(merged, "clusters")}
    current = merged.get("current-context") or ""
    found = []
    for item in _entries(merged, "contexts"):
        inner = item.get("context") or {}
        cluster = str(inner.get("cluster") or "")
        found.append(
            Context(
                name=str(item.get("name") or ""),
                cluster=cluster,
                server=str(clusters.get(cluster, {}).get("server") or ""),
                user=str(inner.get("user") or ""),
                namespace=str(inner.get("namespace") or ""),
                current=item.get("name") == current,
            )
        )
    return found


def log_in(context: str | None = None, kubeconfig: str | None = None) -> Login:
    """Return how a context's cluster is reached; it runs the exec plugin if the context has one.

    Without any kubeconfig, inside a Pod, the Pod's service account is used.

    Raises:
        ConfigError: one line on what is wrong with the kubeconfig, its files or its plugin.
    """
    from kubernetes.client import Configuration
    from kubernetes.config import load_incluster_config, load_kube_config
    from kubernetes.config.config_exception import ConfigException

    configuration = Configuration()
    if kubeconfig is None and not _paths(None) and os.environ.get("KUBERNETES_SERVICE_HOST"):
        try:
            load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # the client's own
        except ConfigException as error:
            raise ConfigError(f"in-cluster configuration: {plain(str(error))}") from error
        return _ready(configuration, _service_account(configuration), ())
    contexts = list_contexts(kubeconfig)
    chosen = _choose(contexts, context, kubeconfig)
    plugin = _plugin(_merged(kubeconfig), chosen)
    with heard() as said:
        try:
            files = os.pathsep.join(map(str, _paths(kubeconfig)))
            load_kube_config(files, chosen.name, configuration, persist_config=False)  # type: ignore[no-untyped-call]  # as above
        except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError(f"context {plain(chosen.name)}: {plain(str(error))}") from error
    if plugin and not configuration.api_key and not configuration.cert_file:
        reason = plain(" ".join(said)) or "it gave no credentials"
        raise ConfigError(
            f"context {plain(chosen.name)}: exec plugin {plain(plugin)}: {reason}; "
            "install it or log in with it, then try again"
        )
    alike = [item for item in contexts if (item.cluster, item.user) == (chosen.cluster, chosen.user)]
    named = dict.fromkeys(item.namespace for item in (chosen, *alike) if item.namespace)
    return _ready(configuration, chosen, tuple(named))


def _ready(configuration: Any, context: Context, namespaces: tuple[str, ...]) -> Login:
    """Check the files, which the client itself would open only at the first request."""
    for what, path in (
        ("CA file", configuration.ssl_ca_cert),
        ("client certificate", configuration.cert_file),
        ("client key", configuration.key_file),
    ):
        if path:
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise ConfigError(f"context {plain(context.name)}: {what} {plain(path)}: {error.strerror}") from error
    return Login(configuration, context, namespaces)


def _choose(contexts: list[Context], name: str | None, kubeconfig: str | None) -> Context:
    if name is None:
        chosen = next((item for item in contexts if item.current), None)
        if chosen is None:
            raise ConfigError(f"{_where(kubeconfig)} has no current context: choose one with --context")
    else:
        chosen = next((item for item in contexts if item.name == name), None)
        if chosen is None:
            known = ", ".join(plain(item.name) for item in contexts) or "none"
            raise ConfigError(f"no context {plain(name)} in {_where(kubeconfig)}; there are: {known}")
    if not chosen.server:
        raise ConfigError(
            f"context {plain(chosen.name)} in {_where(kubeconfig)}: "
            f"cluster {plain(chosen.cluster) or '(none)'} has no server"
        )
    return chosen


def _service_account(configuration: Any) -> Context:
    try:
        namespace = _SERVICE_ACCOUNT_NAMESPACE.read_text().strip()
    except OSError:
        namespace = ""
    return Context(IN_CLUSTER, IN_CLUSTER, configuration.host, "service account", namespace, current=True)


def _paths(kubeconfig: str | None) -> list[Path]:
    """Return the files that a kubeconfig option, KUBECONFIG or the default place means and that exist."""
    text = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    return [found for part in text.split(os.pathsep) if part and (found := Path(part).expanduser()).exists()]


def _where(kubeconfig: str | None) -> str:
    return ", ".join(plain(str(path)) for path in _paths(kubeconfig)) or "the kubeconfig"


def _merged(kubeconfig: str | None) -> dict[str, Any]:
    """Merge kubeconfig files as kubectl does: the first to name an entry or to set a value wins."""
    paths = _paths(kubeconfig)
    if not paths:
        wanted = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        raise ConfigError(f"no kubeconfig at {plain(wanted)}: give --kubeconfig, or set KUBECONFIG")
    merged: dict[str, Any] = {"clusters": [], "contexts": [], "users": []}
    for path in paths:
        read = _read(path)
        for section in ("clusters", "contexts", "users"):
            known = {item.get("name") for item in merged[section]}
            merged[section] += [item for item in _entries(read, section, path) if item.get("name") not in known]
        merged["current-context"] = merged.get("current-context") or read.get("current-context")
    return merged


def _read(path: Path) -> dict[str, Any]:
    try:
        read = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"kubeconfig {plain(str(path))}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"kubeconfig {plain(str(path))} is not YAML{line}") from error
    if not isinstance(read, dict):
        raise ConfigError(f"kubeconfig {plain(str(path))} is not a kubeconfig: no clusters, contexts and users in it")
    return read


def _entries(read: dict[str, Any], section: str, path: Path | None = None) -> list[dict[str, Any]]:
    entries = read.get(section) or []
    if not isinstance(entries, list) or not all(isinstance(item, dict) for item in entries):
        raise ConfigError(f"kubeconfig {plain(str(path or ''))}: {section} is not a list of named entries")
    return entries


def _plugin(merged: dict[str, Any], context: Context) -> str:
    """Return the command of the exec plugin of a context's user, or an empty string."""
    for item in _entries(merged, "users"):
        if item.get("name") == context.user and isinstance(item.get("user"), dict):
            command = item["user"].get("exec")
            return str(command.get("command") or "(no command)") if isinstance(command, dict) else ""
    return ""


class _Ear(logging.Handler):
    """Keeps what the official client logs: it does not raise when an exec plugin fails."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's message."""
        self.said.append(record.getMessage())


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what the official client would log as errors, so that none of it reaches a terminal."""
    ear = _Ear()
    logging.getLogger().addHandler(ear)
    try:
        yield ear.said
    finally:
        logging.getLogger().removeHandler(ear)
