"""What may stand behind a colon, and what it means. Words are k9s' where k9s has one."""

import msgspec

from aksnav.model.kinds import Kind, find_kind


class BadCommand(ValueError):  # noqa: N818 - it is a command that is bad
    """A command that is not known; the message is one line for people."""


class Command(msgspec.Struct, frozen=True):
    """A parsed command.

    Attributes:
        verb: kind, trace, who, ips, namespace, findings, health, help, quit, contexts.
        argument: the rest of the line.
        kind: for the verb kind.
    """

    verb: str
    argument: str = ""
    kind: Kind | None = None


_VERBS = {
    "trace": "trace", "t": "trace", "ns": "namespace", "namespace": "namespace",
    "who": "who", "w": "who", "ips": "ips", "ip": "ips",
    "findings": "findings", "f": "findings", "health": "health", "a": "health",
    "help": "help", "h": "help", "?": "help",
    "q": "quit", "q!": "quit", "quit": "quit", "exit": "quit",
    "about": "about", "explain": "explain",
    "ctx": "contexts", "context": "contexts", "contexts": "contexts",
}  # fmt: skip

EXAMPLES = (
    (":svc  :ing  :gw  :np  :po  :no", "all objects of a kind"),
    (":vnet  :lb  :nsg  :rt  :nic  :pip", "Azure's objects"),
    (":trace https://HOST/PATH", "follow a request from the internet"),
    (":trace svc/NS/NAME:80 from pod/NS/NAME", "follow a request from a Pod"),
    (":who svc/NS/NAME  :who 10.244.1.8", "who can talk to it, and to whom it can talk"),
    (":ips  :ips 10.224.0.7  :ips 10.224.0.0/24", "the address plan, who holds an address, who held it before"),
    (":ns NAME", "one namespace; 0 shows all"),
    (":about  :explain overlay  :explain S02", "what this cluster is, what a word or a check means"),
    (":ctx", "kubeconfig contexts"),
    (":q", "leave"),
)


def parse_command(line: str) -> Command:
    """Return what a line behind the colon means.

    Raises:
        BadCommand: the first word is neither a command nor a kind.
    """
    word, _, rest = line.strip().partition(" ")
    if not word:
        raise BadCommand("a command is missing: :svc, :trace URL, :help")
    verb = _VERBS.get(word.lower())
    if verb is not None:
        return Command(verb, rest.strip())
    kind = find_kind(word)
    if kind is None:
        raise BadCommand(f"no such command or kind: {word}")
    return Command("kind", rest.strip(), kind)
