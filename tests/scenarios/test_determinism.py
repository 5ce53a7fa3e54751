"""One seed is one run: in another process, under another hash seed, after other runs."""

from pathlib import Path
from typing import Any

from scenarios import catalog
from scenarios.commands.twins import serve
from scenarios.stages import simulated
from scenarios.stages.town import Town

ROOT = Path(__file__).resolve().parents[2]


def test_twins_are_equal(tmp_path: Path) -> None:
    here = serve("chaos_deposits", [3, 4], {"PYTHONHASHSEED": "0"}, (), directory=ROOT)
    there = serve(
        "chaos_deposits",
        [4, 3],
        {"PYTHONHASHSEED": "77", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"},
        ("--after", "3", "--ballast", "50000", "--other-date"),
        directory=tmp_path,
    )

    assert [here[seed].digest for seed in (3, 4)] == [there[seed].digest for seed in (3, 4)]


def test_new_bodies_make_the_same_run() -> None:
    pooled = serve("nine_deposits", [5, 6], {}, (), directory=ROOT)
    fresh = serve("nine_deposits", [5, 6], {}, ("--fresh",), directory=ROOT)

    assert pooled[6].digest == fresh[6].digest


def _digest(prepare: Any = lambda _: None) -> str:
    return simulated.run(catalog.find("nine_deposits"), 9, prepare=prepare).result.digest


def test_one_byte_of_a_payload_changes_the_digest() -> None:
    def alter(town: Town) -> None:
        network: Any = town.world.network
        carry = network.carry
        altered: list[bool] = []

        def carry_altered(end: Any, message: Any, size: int) -> None:
            if type(message) is bytes and b"POST" in message and not altered:
                altered.append(True)
                message = message.replace(b"content-type", b"Content-type")
            carry(end, message, size)

        network.carry = carry_altered

    assert _digest(alter) != _digest()


def test_one_tie_changes_the_digest() -> None:
    def alter(town: Town) -> None:
        env: Any = town.world.kernel.env
        draw = env._draw
        drawn: list[int] = []

        def draw_altered(bits: int) -> int:
            drawn.append(bits)
            return int(draw(bits)) ^ (len(drawn) == 700)

        env._draw = draw_altered

    assert _digest(alter) != _digest()


def test_one_cell_changes_the_digest() -> None:
    def alter(town: Town) -> None:
        altered: list[bool] = []

        for host in town.world.hosts.values():
            for server in host.servers:
                keep = server._record

                def changed(effect: Any, keep: Any = keep) -> None:
                    if effect.kind == "cql-write" and not altered:
                        altered.append(True)
                        effect.fields = (*effect.fields[:-1], bytes(effect.fields[-1]) + b"!")
                    keep(effect)

                server._record = changed  # type: ignore[method-assign]

    assert _digest(alter) != _digest()
