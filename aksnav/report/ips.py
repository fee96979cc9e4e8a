"""The address plan as lines, each with a tone for those who have colours; foreign text goes through ``plain``."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aksnav.model.addresses import format_address
from aksnav.model.text import plain
from aksnav.trace.addressing.find import Answer
from aksnav.trace.addressing.forecast import Forecast, Outlook, Room, State, one_of
from aksnav.trace.addressing.plan import Plan
from aksnav.trace.addressing.ranges import PodRange, ServiceRange
from aksnav.trace.addressing.subnets import SubnetUse
from aksnav.trace.addressing.words import Holder, Sort

GLYPH = {State.FITS: "✔", State.MAY: "!", State.UNKNOWN: "?", State.OUT: "✖"}
TONE = {State.FITS: "good", State.MAY: "warn", State.UNKNOWN: "unknown", State.OUT: "bad"}
NEARLY_FULL = 0.9
BAR = 10
_PERCENT = 100


class Said(NamedTuple):
    """One line, and the tone in which it may be drawn."""

    text: str
    tone: str = ""


def bar(used: int | None, capacity: int | None, width: int = BAR) -> str:
    """Return a bar of use: a mark for each part in use (one at least, and a full bar only if nothing is free)."""
    if used is None or capacity is None:
        return "?" * width
    if capacity <= 0:
        return "▐" * width
    marks = used * width // capacity
    marks = min(max(marks, 1 if used else 0), width if used >= capacity else width - 1)
    return "▐" * marks + "·" * (width - marks)


def percent(used: int | None, capacity: int | None) -> str:
    """Return the share that is in use, rounded down except that some use is never 0 %; a question mark if unknown."""
    if used is None or capacity is None:
        return "?"
    if capacity <= 0:
        return "full"
    share = used * _PERCENT // capacity
    return "<1 %" if used and not share else f"{share} %"


def tone_of(used: int | None, capacity: int | None) -> str:
    """Return the tone of a use."""
    if used is None or capacity is None:
        return "unknown"
    if used >= capacity:
        return "bad"
    return "warn" if used >= capacity * NEARLY_FULL else ""


def counted(number: int, unit: str) -> str:
    """Return a number with its unit in the right form: ``1 address``, ``2 addresses``."""
    return f"{number} {one_of(unit) if number == 1 else unit}"


def plan_lines(plan: Plan) -> Iterator[Said]:
    """Yield the whole plan."""
    models = ", ".join(plan.models) or "network model not known"
    yield Said(plain(f"address plan · {models}"), "title")
    yield from _subnets(plan.subnets)
    if plan.pods or plan.services:
        yield Said("")
        yield Said("ranges of the cluster", "title")
        for item in plan.pods:
            yield _pod_range(item)
        for service in plan.services:
            yield _service_range(service)
    yield from outlook_lines(plan.outlook)
    yield Said("")
    yield Said("overlaps", "title")
    for overlap in plan.overlaps:
        yield Said(
            plain(f"  {'✖' if overlap.certain else '!'} {overlap.summary}"), "bad" if overlap.certain else "warn"
        )
    if not plan.overlaps:
        yield Said("  none among the ranges that are known" if not plan.outlook.missing else "  not known", "muted")
    for text in plan.missing:
        yield Said(plain(f"? not read: {text}"), "unknown")
    for text in plan.assumptions:
        yield Said(plain(f"  taken for granted: {text}"), "muted")


def _subnets(uses: Sequence[SubnetUse]) -> Iterator[Said]:
    last = ""
    width = max((len(plain(use.subnet.name)) for use in uses), default=0)
    for use in uses:
        if use.network.id != last:
            last = use.network.id
            space = " ".join(use.network.address_space.address_prefixes)
            yield Said("")
            yield Said(plain(f"virtual network {use.network.name}  {space}"), "title")
        yield from _subnet(use, width)


def _subnet(use: SubnetUse, width: int) -> Iterator[Said]:
    capacity = use.size - use.reserved
    share = percent(use.used, capacity)
    head = (
        f"  {plain(use.subnet.name):<{width}}  {' '.join(use.subnet.prefixes):<18} {bar(use.used, capacity)} {share:>5}"
    )
    if use.used is None:
        yield Said(
            plain(f"{head}  {use.size} addresses, {use.reserved} kept by Azure, use not known: {use.missing}"),
            "unknown",
        )
    else:
        line = f"{head}  {use.size} = {use.reserved} kept by Azure + {use.used} used + {use.free} free"
        yield Said(plain(line), tone_of(use.used, capacity))
    by = ", ".join(f"{number} {name_of(sort, number)}" for sort, number in use.by.items())
    notes = [text for text in (by, f"delegated to {', '.join(use.delegations)}" if use.delegations else "") if text]
    notes += [use.basis] if use.basis else []
    notes += [use.missing] if use.missing and use.used is not None else []
    if notes:
        yield Said(plain(f"      {'; '.join(notes)}"), "muted")


_PLURAL = {
    Sort.KEPT: Sort.KEPT,
    Sort.UNREAD: "with a holder that is not read",
    Sort.AZURE: Sort.AZURE,
    Sort.OTHER: "others",
}
_ONE = {Sort.UNREAD: "with a holder that is not read"}


def name_of(sort: Sort, number: int) -> str:
    """Return what so many holders of a sort are called."""
    if number == 1:
        return _ONE.get(sort, sort)
    return _PLURAL.get(sort, f"{sort}es" if sort.endswith("ss") else f"{sort}s")


def _pod_range(item: PodRange) -> Said:
    head = f"  Pod CIDR {item.text:<18} {bar(item.used, item.capacity)} {percent(item.used, item.capacity):>5}"
    if item.used is None or item.capacity is None:
        return Said(
            plain(f"{head}  use not known: {item.missing or 'no node shows the length of its block'}"), "unknown"
        )
    line = (
        f"{head}  {item.capacity} blocks of /{item.block} = {item.used} of nodes + {item.free} free; {item.pods} Pods"
    )
    if item.outside:
        line += f"; {counted(item.outside, 'blocks')} of nodes outside of it"
    return Said(plain(line), tone_of(item.used, item.capacity))


def _service_range(item: ServiceRange) -> Said:
    capacity = item.prefix.size - item.reserved
    head = f"  service CIDR {item.text:<14} {bar(item.used, capacity)} {percent(item.used, capacity):>5}"
    dns = f"; DNS {item.dns}" if item.dns else ""
    if item.used is None:
        return Said(plain(f"{head}  use not known: {item.missing}{dns}"), "unknown")
    line = f"{head}  {item.prefix.size} = {item.reserved} never given + {item.used} of Services + {item.free} free{dns}"
    return Said(plain(line), tone_of(item.used, capacity))


def outlook_lines(outlook: Outlook) -> Iterator[Said]:
    """Yield what growth needs: the verdict, every step, the room of every pool."""
    yield Said("")
    yield Said("growth", "title")
    yield verdict(outlook)
    for step in outlook.steps:
        yield Said(
            plain(f"  {GLYPH[step.state]} {step.state:<12} {step.title}{_added(step)}: {step.why}"), TONE[step.state]
        )
        for demand in step.demands:
            if demand.state not in {State.FITS, step.state} or (
                demand.state is not State.FITS and demand.why != step.why
            ):
                yield Said(plain(f"                   {GLYPH[demand.state]} {demand.why}"), TONE[demand.state])
    for room in outlook.rooms:
        yield Said(plain(f"    {room_words(room)}"), "muted")
    for text in outlook.notes:
        yield Said(plain(f"    {text}"), "muted")


def _added(step: Forecast) -> str:
    return "" if step.nodes is None else f" (+{counted(step.nodes, 'nodes')})"


def verdict(outlook: Outlook) -> Said:
    """Return when it will run out, in one line."""
    if outlook.missing:
        return Said(plain(f"  ? unknown: {outlook.missing}"), "unknown")
    first = outlook.first
    if first is None:
        last = outlook.steps[-1]
        return Said(plain(f"  ✔ fits to the {last.title}"), "good")
    out = next((step for step in outlook.steps if step.state is State.OUT), None)
    said = first if out is None else out
    before = outlook.steps[: outlook.steps.index(said)]
    held = [step for step in before if step.state is State.FITS]
    fits = f"; fits to the {held[-1].title}" if held and said is not outlook.steps[0] else ""
    return Said(plain(f"  {GLYPH[said.state]} {said.state} at the {said.title}: {said.why}{fits}"), TONE[said.state])


def short_verdict(outlook: Outlook) -> Said:
    """Return when it will run out, in a few words for the title of a pane."""
    if outlook.missing:
        return Said("? growth unknown", "unknown")
    first = next((step for step in outlook.steps if step.state is State.OUT), outlook.first)
    if first is None:
        return Said("✔ fits to the maximum", "good")
    return Said(f"{GLYPH[first.state]} {first.state}: {first.stage}", TONE[first.state])


def room_words(room: Room) -> str:
    """Return for how many more nodes of a pool there is room, and what ends first."""
    if room.nodes is None or room.by is None:
        return f"pool {room.pool} ({room.model}): room is not known: {room.unknown}"
    full = "" if room.full in {None, room.nodes} else f" ({room.full} if they fill with Pods)"
    more = counted(room.nodes, "more nodes")
    return f"pool {room.pool} ({room.model}): room for {more}{full}, then {room.by.name} is used up"


def answer_lines(answer: Answer) -> Iterator[Said]:
    """Yield who holds an address, what contains it, and who held it before."""
    yield Said(answer.text, "title")
    single = answer.asked.first == answer.asked.last
    for holder in answer.holders:
        yield Said(plain(f"  {holder_words(holder, address=not single)}"), "warn" if holder.pointed_at else "")
    if answer.more:
        yield Said(f"  and {answer.more} more", "muted")
    if not answer.holders:
        yield Said("  nobody is known to hold it", "warn")
    for text in answer.maybe:
        yield Said(plain(f"  ? {text}"), "unknown")
    for container in answer.inside:
        part = "a part is in" if container.part else "in"
        yield Said(plain(f"  {part} {container.prefix}  {container.what}"), "muted")
    if answer.before:
        yield Said("")
        yield Said("before, as far as anything says", "title")
        for past in answer.before:
            when = f" at {past.at}" if past.at else ""
            address = "" if single else f"{format_address(past.address)}  "
            still = " (has it now)" if past.still else ""
            yield Said(plain(f"  {address}{past.who}{still}{when}: {past.how}"))
    for text in answer.missing:
        yield Said(plain(f"? not read: {text}"), "unknown")


def holder_words(holder: Holder, *, address: bool) -> str:
    """Return a holder in one line."""
    where = format_address(holder.address) if address and holder.address is not None else ""
    node = f" on node {holder.node}" if holder.node and holder.node != holder.name else ""
    note = f" ({holder.note})" if holder.note else ""
    said = f"{holder.sort} {holder.name}" == str(holder.ref)
    field = f"  {'' if said else f'{holder.ref} '}{holder.field}" if holder.ref is not None and holder.field else ""
    pointed = " is only pointed at" if holder.pointed_at else ""
    sort = f"{holder.sort}:" if holder.sort is Sort.AZURE else holder.sort
    what = f"{sort} {holder.name}{pointed}{node}{note}{field}"
    return f"{where:<16}{what}" if where else what
