"""Configurations: what is wrong with one is said before anything is touched."""

from pathlib import Path

import pytest

from sim.tcp.cql.config import Config, ring
from sim.tcp.process import Stop, load

_TWO = '[[members]]\nname = "a"\n[[members]]\nname = "b"\naddress = "127.0.0.2"\n'


def read(path: Path, text: str) -> Config:
    file = path / "node.toml"
    file.write_text(text)
    return load(Config, str(file))


def test_what_is_left_out_is_as_scylla_has_it(tmp_path: Path) -> None:
    config = read(tmp_path, 'name = "b"\ndata = "d"\n' + _TWO)
    assert config.client_place == ("127.0.0.2", 9042)
    assert config.peer_place == ("127.0.0.1", 7000)
    assert (config.commitlog.sync, config.commitlog.sync_period_in_ms) == ("batch", 10_000)


def test_all_members_see_the_same_ring_in_whatever_order_they_are_named(tmp_path: Path) -> None:
    one = read(tmp_path, 'name = "a"\ndata = "d"\n' + _TWO)
    first, second = one.members
    turned = Config(name="b", data="e", members=(second, first))
    assert ring(one, 0).peers == ring(turned, 0).peers


def test_a_proxy_in_front_is_what_clients_are_told(tmp_path: Path) -> None:
    more = '[listen]\naddress = "127.0.0.9"\nport = 19042\n'
    config = read(tmp_path, 'name = "a"\ndata = "d"\n' + _TWO + more)
    assert config.client_place == ("127.0.0.9", 19042)
    peer = ring(config, 19042).peers["a"]
    assert (peer.address, peer.port) == ("127.0.0.1", 9042)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('name = "c"\ndata = "d"\n' + _TWO, "name 'c' is none of the members: a, b"),
        ('name = "a"\ndata = "d"\n' + _TWO + _TWO, "a name of its own"),
        ('name = "a"\ndata = "d"\n' + _TWO + "port = 0\n", "port 0 is for a single node"),
        ('name = "a"\ndata = "d"\n' + _TWO + "prot = 1\n", "unknown field `prot`"),
        ('name = "a"\ndata = "d"\n' + _TWO.replace(".2", ".1"), "the same address and port"),
        ('name = "a"\ndata = "d"\n' + _TWO.replace("127.0.0.2", "localhost"), "'localhost' of b"),
        ('name = "a"\ndata = "d"\n' + _TWO.replace("127.0.0.2", "0.0.0.0"), "'0.0.0.0' of b"),
        ('name = "a"\n' + _TWO, "missing required field `data`"),
        ("name = a", "Invalid value"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(Stop) as caught:
        read(tmp_path, text)
    assert why in str(caught.value)
    assert caught.value.exit_code == 2
