"""Whether Secrets exist: asked by name and as metadata only.

The Accept header offers the server nothing but PartialObjectMetadata; a server that cannot make it answers 406. Even
metadata can hold a Secret's data (in the annotation that ``kubectl apply`` writes): annotations are dropped unread.
"""

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus

import msgspec

from aksnav.model.change import Change, Reading, ReadingChanged, Removed, Upserted
from aksnav.model.kinds import AnyObject
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.kubernetes.istio import ISTIO_INGRESS, IstioGateway
from aksnav.model.kubernetes.secret import Secret
from aksnav.sources.kubernetes.errors import ApiError, ConfigError, LinkError
from aksnav.sources.kubernetes.pace import Pace, spread
from aksnav.sources.kubernetes.transport import METADATA_ONLY, Transport, segment

PERIOD = 60.0
SECONDS_EACH = 0.1
Name = tuple[str, str]


class _Meta(msgspec.Struct, rename="camel", gc=False):
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class _Partial(msgspec.Struct, gc=False):
    kind: str
    metadata: _Meta


class _ShownMeta(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}


class _Shown(msgspec.Struct, rename="camel", gc=False):
    kind: str
    api_version: str
    metadata: _ShownMeta


_SHOWN = msgspec.json.Decoder(_Shown)
_PARTIAL = msgspec.json.Decoder(_Partial)


def path_of(name: Name) -> str:
    """Return the path of a Secret."""
    return f"/api/v1/namespaces/{segment(name[0])}/secrets/{segment(name[1])}"


def shown(body: bytes) -> bytes:
    """Return the PartialObjectMetadata of a Secret without annotations and managedFields.

    ``kubectl apply`` keeps the whole Secret, data and all, in an annotation, and managedFields name its keys.

    Raises:
        msgspec.DecodeError: the body is not such JSON.
    """
    return msgspec.json.encode(_SHOWN.decode(body))


def named_by(made: AnyObject) -> frozenset[Name]:
    """Return the Secrets that an Ingress or a Gateway names for TLS, as pairs of namespace and name.

    A Gateway of Istio's means one of its workload's namespace, which the add-on fixes (AKS, "Secure ingress gateway").
    """
    if isinstance(made, Ingress):
        return frozenset((made.namespace, entry.secret_name) for entry in made.tls if entry.secret_name)
    if isinstance(made, Gateway):
        return frozenset(
            (ref.namespace or made.namespace, ref.name)
            for listener in made.listeners
            if listener.tls is not None
            for ref in listener.tls.certificate_refs
            if ref.kind == "Secret" and not ref.group
        )
    if isinstance(made, IstioGateway):
        names = {name for server in made.servers if server.tls is not None for name in server.tls.credentials}
        return frozenset((ISTIO_INGRESS, name) for name in names)
    return frozenset()


def period(count: int, pace: Pace) -> float:
    """Return after how many seconds so many Secrets are asked for again: a minute, or more where they are many.

    The API server gets ten of these questions a second at the most.
    """
    return spread(max(PERIOD, count * SECONDS_EACH), pace)


class SecretAsker:
    """Asks again and again for the Secrets that objects name and for those that it was told of."""

    def __init__(self, transport: Transport, pace: Pace, emit: Callable[[Change], None]) -> None:
        self._transport = transport
        self._pace = pace
        self._emit = emit
        self._changed = threading.Condition()
        self._told: frozenset[Name] = frozenset()
        self._by_object: dict[tuple[str, str], frozenset[Name]] = {}
        self._answered: set[Name] = set()
        self._read: set[str] = set()
        self._ended = False

    def tell(self, names: Iterable[Name]) -> None:
        """From now on ask for these, in place of those told before."""
        with self._changed:
            self._told = frozenset(names)
            self._changed.notify()

    def see(self, change: Change) -> None:
        """Note which Secrets the objects of a change name."""
        if not isinstance(change, Upserted | Removed) or change.kind not in {Ingress.KIND, Gateway.KIND}:
            return
        with self._changed:
            if isinstance(change, Removed):
                for ident in change.ids:
                    self._by_object.pop((change.kind, ident), None)
            else:
                for made in change.objects:
                    self._by_object[change.kind, made.id] = named_by(made)
            self._changed.notify()

    def run(self) -> None:
        """Ask at once for what is new and for everything once a minute, until told to end."""
        due = self._pace.ticks()
        while True:
            with self._changed:
                while not self._ended and self._pace.ticks() < due and not (self._wanted() - self._answered):
                    self._changed.wait(due - self._pace.ticks())
                if self._ended:
                    return
                everything = self._pace.ticks() >= due
            self.ask(new_only=not everything)
            if everything:
                due = self._pace.ticks() + period(len(self._answered), self._pace)

    def end(self) -> None:
        """Come to an end; from any thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def ask(self, *, new_only: bool = False) -> None:
        """Ask for every wanted Secret once (or for those only that were never asked for) and drop the others."""
        with self._changed:
            wanted = self._wanted()
            gone = self._answered - wanted
            names = sorted(wanted - self._answered if new_only else wanted)
            self._answered = set(wanted)
        if gone:
            self._emit(Removed(Secret.KIND, [f"{namespace}/{name}" for namespace, name in sorted(gone)]))
        answers: dict[str, tuple[Reading, str]] = {}
        for name in names:
            reading, reason = self._ask_one(name)
            if answers.get(name[0], (Reading.LIVE, ""))[0] is Reading.LIVE:
                answers[name[0]] = (reading, reason)
        for namespace, (reading, reason) in answers.items():
            if reading is Reading.LIVE:
                self._read.add(namespace)
            known = reading is Reading.FAILED and namespace in self._read
            said = Reading.STALE if known else reading
            self._emit(ReadingChanged(Secret.KIND, said, namespace, reason, self._pace.now()))

    def _wanted(self) -> frozenset[Name]:
        return self._told.union(*self._by_object.values())

    def _ask_one(self, name: Name) -> tuple[Reading, str]:
        namespace, own = name
        try:
            body = self._transport.get(path_of(name), accept=METADATA_ONLY)
            partial = _PARTIAL.decode(body)
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                self._emit(Upserted(Secret.KIND, [Secret(name=own, namespace=namespace, exists=False)]))
                return Reading.LIVE, ""
            reading = Reading.DENIED if error.denied else Reading.FAILED
            return reading, f"get secrets {own} in namespace {namespace}: {error}"
        except (LinkError, ConfigError, msgspec.MsgspecError) as error:
            return Reading.FAILED, f"get secrets {own} in namespace {namespace}: {error}"
        meta = partial.metadata
        secret = Secret(
            name=own,
            namespace=namespace,
            uid=meta.uid,
            resource_version=meta.resource_version,
            created=meta.creation_timestamp or "",
            deleting=meta.deletion_timestamp is not None,
        )
        self._emit(Upserted(Secret.KIND, [secret]))
        return Reading.LIVE, ""
