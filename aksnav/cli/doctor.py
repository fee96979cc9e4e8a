"""``aksnav doctor``: what can be read, what is missing, and which roles to ask for."""

import argparse
import threading
from typing import Any

import msgspec

from aksnav.cli.reading import CommandError, encode, load, options_of
from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.model.text import plain, plain_lines
from aksnav.sources.diagnosis import Check, Diagnosis
from aksnav.sources.errors import SourceError
from aksnav.sources.options import Options

SOMETHING_MISSING = 1
UNREACHABLE = 2
_ROLES = {
    "kubernetes": (
        "ask for this ClusterRole (kubectl apply -f -), and for a ClusterRoleBinding of it to you:",
        "kubectl create clusterrolebinding aksnav-reader --clusterrole=aksnav-reader --user=YOU",
    ),
    "azure": (
        "ask for this custom role (az role definition create --role-definition @FILE), and for an assignment of it:",
        "az role assignment create --role 'aksnav reader' --assignee YOU --scope SCOPE",
    ),
}


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 if everything can be read, 1 if something is missing, 2 if Azure could not be reached.

    Raises:
        CommandError: the API server could not be reached, or the source cannot be used at all.
    """
    options = options_of(args)
    found = _recorded(options) if options.demo is not None or options.capture is not None else _live(options)
    if args.output == "json":
        print(encode({"sources": [_data(item) for item in found]}))
    else:
        print("\n".join(line for item in found for line in _lines(item)))
    if any(item.unreachable for item in found):
        return UNREACHABLE
    return 0 if all(item.ok for item in found) else SOMETHING_MISSING


def _live(options: Options) -> list[Diagnosis]:
    """Ask the cluster, and Azure unless it is not to be asked."""
    from aksnav.sources.kubernetes.contexts import log_in
    from aksnav.sources.kubernetes.doctor import check_kubernetes
    from aksnav.sources.kubernetes.pace import RealPace
    from aksnav.sources.kubernetes.transport import Transport

    try:
        transport = Transport(lambda: log_in(options.context, options.kubeconfig), RealPace(threading.Event()))
        try:
            cluster = check_kubernetes(transport, options.namespaces)
        finally:
            transport.close()
    except SourceError as error:
        raise CommandError(str(error)) from error
    found = [cluster.diagnosis]
    if not options.no_azure:
        from aksnav.sources.azure.doctor import check_azure

        found.append(check_azure(options, cluster.provider_ids, cluster.server_host))
    return found


def _recorded(options: Options) -> list[Diagnosis]:
    """Say which kinds a capture or the demo speaks of."""
    store = load(options)
    checks = []
    for name, table in store.tables.items():
        access = table.access()
        parts = [item for item in table.scopes().values() if item.reading is Reading.LIVE]
        if access.complete:
            said = "not installed" if access.reading is Reading.ABSENT else _counted(len(table))
        else:
            said = access.reason or str(access.reading)
            said += f"; {_counted(len(table))} of some namespaces" if parts else ""
        what = f"{KINDS[name].plural}.{KINDS[name].group}" if KINDS[name].group else KINDS[name].plural
        checks.append(Check(what=what, ok=access.complete, reason=said))
    state = store.sources.get(options.main_source)
    facts = dict(state.facts) if state is not None else {}
    return [Diagnosis(source=options.main_source, facts=facts, checks=tuple(checks))]


def _counted(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'}"


def _data(item: Diagnosis) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(item)
    return {**found, "ok": item.ok}


def _lines(item: Diagnosis) -> list[str]:
    """Return the lines of one source."""
    facts = " · ".join(f"{key} {value}" for key, value in item.facts.items())
    lines = [plain(f"{item.source}  {facts}".rstrip())]
    if item.error:
        lines.append(plain(f"  ✖ {item.error}"))
    width = max((len(check.what) for check in item.checks), default=0)
    lines += [_line(check, width) for check in item.checks]
    if item.role:
        ask, bind = _ROLES[item.source]
        lines += ["", f"  {ask}", *plain_lines(item.role).splitlines(), f"  then: {bind}", ""]
    return lines


def _line(check: Check, width: int) -> str:
    word = _word(check)
    where = f"on {check.scope}" if check.scope.startswith("/") else f"in {check.scope}" if check.scope else ""
    why = check.reason if check.reason and check.reason not in where else ""
    return plain(f"  {word}  {check.what:<{width}}  " + "  ".join(part for part in (where, why) if part)).rstrip()


def _word(check: Check) -> str:
    if check.ok:
        return "✔ readable"
    if check.optional:
        return "- optional"
    return "✖ missing " if check.missing else "? not read"
