"""The command line: words, options, and which function runs."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from aksnav.model.text import plain

EPILOG = """\
targets: https://HOST/PATH  tcp://HOST:PORT  icmp://HOST  10.0.0.5:443  svc/NAMESPACE/NAME:PORT  pod/NAMESPACE/NAME:PORT
sources: internet (the default)  internet:203.0.113.9  10.1.2.3  pod/NAMESPACE/NAME  node/NAME
exit status: 0 delivered or nothing found, 1 not delivered or findings, 3 undecided, 2 usage or connection error
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with nothing in it that acts on a terminal."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, plain(f"aksnav: {message}; {self.prog} --help shows what there is") + "\n")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return the parsed command line; ``run`` is the function that takes it. Exits with 2 on a usage error."""
    top = _build()
    if words and words[0] not in COMMANDS and not words[0].startswith("-"):
        does = f"aksnav trace {words[0]}" if "/" in words[0] or ":" in words[0] else "aksnav --help"
        top.exit(2, plain(f"aksnav: no such command: {words[0]}; try {does}") + "\n")
    return top.parse_args(_with_default_command(list(words)))


def _with_default_command(words: list[str]) -> list[str]:
    """Put ``explore`` in front where no command is named."""
    if words and words[0] in {*COMMANDS, "-h", "--help", "--version"}:
        return words
    return ["explore", *words]


def _build() -> argparse.ArgumentParser:
    top = _Parser(
        prog="aksnav",
        description="Follow a request from the URL to the Pod through an AKS cluster. Without a command: the explorer.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", "-V", action="store_true", help="print the version and leave")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    reading = _reading()
    _explore(commands, reading)
    _trace(commands, reading)
    check = commands.add_parser(
        "check", parents=[reading], help="everything that is wrong, each with the proving field"
    )
    check.add_argument("-o", "--output", choices=("text", "json", "markdown", "sarif"), default="text")
    check.set_defaults(run=_lazy("check"))
    who = commands.add_parser("who", parents=[reading], help="who can talk to it, and to whom it can talk")
    who.add_argument(
        "subject",
        nargs="?",
        metavar="SUBJECT",
        help="pod/NS/NAME, svc/NS/NAME, ns/NS, node/NAME, np/NS/NAME, address",
    )
    who.add_argument("-o", "--output", choices=("text", "json", "markdown"), default="text")
    who.add_argument("--matrix", action="store_true", help="namespaces against namespaces: how many workloads can talk")
    who.set_defaults(run=_lazy("who"))
    ips = commands.add_parser("ips", parents=[reading], help="the address plan, or who holds an address")
    ips.add_argument("address", nargs="?", metavar="ADDRESS", help="an address or a CIDR: who holds it, who held it")
    ips.add_argument("-o", "--output", choices=("text", "json"), default="text")
    ips.set_defaults(run=_lazy("ips"))
    _evidence(commands, reading)
    _words(commands, reading)
    return top


def described() -> list[tuple[str, str, list[argparse.Action]]]:
    """Return every command with its line of help and its options, for completion."""
    top = _build()
    found = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001 - argparse has no other way to its own commands
    about = {action.dest: action.help or "" for action in found._choices_actions}  # noqa: SLF001 - as above
    return [(name, about.get(name, ""), list(parser._actions)) for name, parser in found.choices.items()]  # noqa: SLF001 - as above


def _evidence(commands: "argparse._SubParsersAction[_Parser]", reading: _Parser) -> None:
    """Add what takes a picture of a cluster, compares two, and says what can be read."""
    capture = commands.add_parser("capture", parents=[reading], help="write what can be read into one file")
    capture.add_argument("file", metavar="FILE", help="the file to write (zstd-compressed JSON lines)")
    capture.add_argument(
        "--redact", action="store_true", help="replace host names, public addresses and subscription ids"
    )
    capture.add_argument(
        "--confirm",
        action="store_true",
        help="ask Azure for security admin rules too, by a POST that reads",
    )
    capture.set_defaults(run=_lazy("capture"))
    diff = commands.add_parser("diff", help="what differs between two captures: requests, findings, objects")
    diff.add_argument("before", metavar="A", help="a capture, a folder of kubectl and az output, or demo:SCENARIO")
    diff.add_argument("after", metavar="B", help="the same, or live: the cluster as it is now")
    diff.add_argument("--context", metavar="C", help="kubeconfig context of live")
    diff.add_argument("--kubeconfig", metavar="F", help="kubeconfig file of live")
    diff.add_argument("-o", "--output", choices=("text", "json"), default="text")
    diff.set_defaults(run=_lazy("diff"))
    doctor = commands.add_parser(
        "doctor", parents=[reading], help="what can be read, what is missing, which roles to ask for"
    )
    doctor.add_argument("-o", "--output", choices=("text", "json"), default="text")
    doctor.set_defaults(run=_lazy("doctor"))


def _words(commands: "argparse._SubParsersAction[_Parser]", reading: _Parser) -> None:
    """Add what tells of this cluster, of words, and of the command line itself."""
    about = commands.add_parser("about", parents=[reading], help="what this cluster is, each fact with its field")
    about.add_argument("-o", "--output", choices=("text", "json"), default="text")
    about.set_defaults(run=_lazy("about"))
    explain = commands.add_parser(
        "explain", parents=[reading], help="what a word or a check id means, and how this cluster does it"
    )
    explain.add_argument(
        "word", nargs="*", metavar="WORD", help="overlay, ClusterIP, network policy, … or a check id such as S02"
    )
    explain.add_argument("-o", "--output", choices=("text", "json"), default="text")
    explain.set_defaults(run=_lazy("explain"))
    completion = commands.add_parser("completion", help="a script for your shell: source <(aksnav completion bash)")
    completion.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")
    completion.set_defaults(run=_lazy("completion"))


def _explore(commands: "argparse._SubParsersAction[_Parser]", reading: _Parser) -> None:
    explore = commands.add_parser("explore", parents=[reading], help="the explorer (the default)")
    explore.set_defaults(run=_lazy("explore"))
    demo = commands.add_parser("demo", help="the explorer on the built-in cluster")
    demo.add_argument("--scenario", dest="demo", default="", metavar="NAME", help="a variant; 'list' names them all")
    demo.set_defaults(run=_lazy("explore"), **_NOTHING_ELSE)


def _trace(commands: "argparse._SubParsersAction[_Parser]", reading: _Parser) -> None:
    trace = commands.add_parser(
        "trace", parents=[reading], help="follow one request, or a file of them", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    trace.add_argument("target", nargs="?", metavar="TARGET", help="see below")
    trace.add_argument("--from", dest="source", default="internet", metavar="SOURCE", help="where the request starts")
    trace.add_argument("--resolve", metavar="ADDRESS", help="take this address instead of asking DNS, as curl does")
    trace.add_argument("--method", "-X", default="GET", metavar="M", help="of the request; GET where nothing is said")
    trace.add_argument("--header", "-H", action="append", default=[], metavar="'NAME: VALUE'", help="of the request")
    trace.add_argument("--requests", metavar="FILE", help="JSON lines, one question each; - is standard input")
    trace.add_argument(
        "--confirm",
        action="store_true",
        help="ask Azure and the network from here, reading only; the trace reckons with the admin rules it is told",
    )
    trace.add_argument("-o", "--output", choices=("text", "json", "markdown", "mermaid", "svg"), default="")
    trace.set_defaults(run=_lazy("trace"))


def _reading() -> _Parser:
    """Return the options of every command that reads a cluster."""
    reading = _Parser(add_help=False)
    group = reading.add_argument_group("what is read")
    group.add_argument("--context", metavar="C", help="kubeconfig context")
    group.add_argument("--kubeconfig", metavar="F", help="kubeconfig file")
    group.add_argument(
        "--namespace", "-n", dest="namespaces", action="append", default=[], metavar="NS", help="read this namespace"
    )
    group.add_argument("--all-namespaces", "-A", action="store_true", help="show every namespace")
    group.add_argument("--cluster", default="", metavar="ARM-ID", help="the managed cluster's resource id")
    group.add_argument("--no-azure", action="store_true", help="do not ask Azure Resource Manager")
    group.add_argument(
        "--from-capture", dest="capture", metavar="PATH", help="a capture, or a folder of kubectl and az output"
    )
    group.add_argument("--demo", nargs="?", const="", default=None, metavar="SCENARIO", help="the built-in cluster")
    group.add_argument(
        "--assume-none", default="", metavar="KIND,…", help="kinds that a capture without them does not have"
    )
    return reading


_NOTHING_ELSE: dict[str, object] = {
    "context": None,
    "kubeconfig": None,
    "namespaces": [],
    "all_namespaces": False,
    "cluster": "",
    "no_azure": False,
    "capture": None,
    "assume_none": "",
}


class _lazy:  # noqa: N801 - used like a function: it is one that imports its command when it is called
    """A command that is imported when it runs."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __call__(self, args: argparse.Namespace) -> int:
        """Run the command."""
        import importlib

        return int(importlib.import_module(f"aksnav.cli.{self._module}").run(args))


COMMANDS = (
    "explore", "demo", "trace", "check", "who", "ips", "capture", "diff", "doctor", "about", "explain", "completion",
)  # fmt: skip
