"""What a node reads at its start to take over the slots of its phantom."""

from __future__ import annotations

from compat.servers import Node
from compat.servers.forming import Takeover, agree, cluster_info, epochs
from compat.servers.node import shares


def test_each_node_starts_as_the_replica_of_the_phantom_that_holds_its_slots() -> None:
    nodes = [Node("127.0.0.1", 10 + i, slots) for i, slots in enumerate(shares(3))]
    takeover = Takeover.of(nodes)
    assert len({*takeover.phantoms, *takeover.ids}) == 6
    lines = takeover.configuration(1, bus=100).splitlines()
    assert lines[0] == f"{takeover.phantoms[0]} 127.0.0.1:1@1 master - 0 0 1 connected 0-5460"
    assert lines[1] == f"{takeover.ids[0]} 127.0.0.1:10@110 slave {takeover.phantoms[0]} 0 0 1 connected"
    assert lines[3] == f"{takeover.ids[1]} 127.0.0.1:11@111 myself,slave {takeover.phantoms[1]} 0 0 2 connected"
    assert lines[6:] == ["vars currentEpoch 3 lastVoteEpoch 0"]


def test_cluster_info_is_read_whether_the_client_has_parsed_it_or_not() -> None:
    read = {"cluster_state": "ok", "cluster_size": "3"}
    assert cluster_info(b"cluster_state:ok\r\ncluster_size:3\r\n") == cluster_info(read) == read


NODES = b"""\
aa 127.0.0.1:1@101 myself,master - 0 0 4 connected 0-5460
bb 127.0.0.1:2@102 master - 0 1795558315279 5 connected 5461-10922
cc 127.0.0.1:3@103,cc.local slave aa 0 1795558315276 4 connected
dd 127.0.0.1:4@104 handshake - 0 0 0 disconnected
"""


def test_epochs_are_those_of_the_masters_as_one_node_sees_them() -> None:
    assert epochs(NODES) == {"aa": 4, "bb": 5}


def test_nodes_agree_when_all_see_the_same_epochs_and_no_two_masters_have_one() -> None:
    """Masters of one epoch claim slots against each other until one of them takes a higher one."""
    assert agree([{"aa": 4, "bb": 5}, {"bb": 5, "aa": 4}])
    assert not agree([{"aa": 4, "bb": 5}, {"aa": 4, "bb": 6}])
    assert not agree([{"aa": 5, "bb": 5}, {"aa": 5, "bb": 5}])
