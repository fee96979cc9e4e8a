"""What a round says: a row stays while anybody who reads it has it, and goes when nobody has it any more."""

from aksnav.model.azure.network import NetworkInterface
from aksnav.model.change import Reading
from aksnav.model.object import Undecodable
from aksnav.sources.azure.outcome import Read
from aksnav.sources.azure.tell import Teller
from aksnav.store import Store
from tests.azure.conftest import START

GROUP = "/subscriptions/s/resourcegroups/rg-web"
NETWORK = "/subscriptions/s/resourcegroups/rg-net/providers/microsoft.network/virtualnetworks/home"
NIC = f"{GROUP}/providers/microsoft.network/networkinterfaces/pe-nic"
KIND = "networkInterfaces"


class Rounds:
    """Rounds of reading, told to a store."""

    def __init__(self) -> None:
        self.store = Store()
        self.teller = Teller(self.store.apply, lambda: START)

    def round(self, *reads: Read) -> None:
        """Tell a whole round."""
        self.teller.begin()
        for read in reads:
            self.teller.tell(read)
        self.teller.end()


def by_id(*, kept: bool = False) -> Read:
    """Return the interface as it is read by its id, for an endpoint that names it."""
    return Read(kind=KIND, scope=GROUP, objects=[NetworkInterface(arm_id=NIC)], at=START, kept=kept)


def as_neighbour(*, kept: bool = False) -> Read:
    """Return the interface as it is read because a subnet of the network names it."""
    return Read(kind=KIND, scope=NETWORK, objects=[NetworkInterface(arm_id=NIC)], at=START, kept=kept)


def nobody() -> Read:
    """Return what the network has besides: nothing."""
    return Read(kind=KIND, scope=NETWORK)


def test_a_row_that_is_read_in_another_scope_now_stays() -> None:
    """Its endpoint is no longer asked about, so it is a neighbour; later rounds keep that answer and say nothing."""
    rounds = Rounds()
    rounds.round(by_id())
    rounds.round(as_neighbour())
    rounds.round(as_neighbour(kept=True))
    assert NIC in rounds.store.interfaces


def test_a_row_that_leaves_one_list_stays_while_another_has_it() -> None:
    """The endpoint is asked about again: it is read by id before the network is found to have no more neighbours."""
    rounds = Rounds()
    rounds.round(as_neighbour())
    rounds.round(by_id(), nobody())
    rounds.round(by_id(kept=True), nobody())
    assert NIC in rounds.store.interfaces


def test_a_row_that_no_scope_has_any_more_goes() -> None:
    """Whichever of the two loses it last."""
    rounds = Rounds()
    rounds.round(by_id(), as_neighbour())
    rounds.round(nobody())
    assert NIC not in rounds.store.interfaces


def test_what_could_not_be_decoded_goes_with_its_scope() -> None:
    """Else every interface would be in doubt for good because of one that is gone."""
    rounds = Rounds()
    rounds.round(Read(kind=KIND, scope=NETWORK, undecodable=[Undecodable(KIND, NIC, "odd")]))
    assert NIC in rounds.store.interfaces.undecodable
    rounds.round(Read(kind=KIND, scope=GROUP))
    assert rounds.store.interfaces.undecodable == {}


def test_what_cannot_be_decoded_in_another_scope_either_stays_in_doubt() -> None:
    """One of two that read it has lost it."""
    rounds = Rounds()
    odd = Undecodable(KIND, NIC, "odd")
    rounds.round(Read(kind=KIND, scope=GROUP, undecodable=[odd]), Read(kind=KIND, scope=NETWORK, undecodable=[odd]))
    rounds.round(Read(kind=KIND, scope=GROUP, undecodable=[odd]), nobody())
    assert NIC in rounds.store.interfaces.undecodable


def test_a_kept_answer_of_a_scope_that_was_left_is_told_again() -> None:
    """It was read, left, and is asked about anew while its answer is still good."""
    rounds = Rounds()
    rounds.round(as_neighbour())
    rounds.round(Read(kind=KIND, scope=GROUP))
    assert NIC not in rounds.store.interfaces
    rounds.round(as_neighbour(kept=True))
    assert NIC in rounds.store.interfaces
    assert rounds.store.interfaces.access(NETWORK).reading is Reading.LIVE
