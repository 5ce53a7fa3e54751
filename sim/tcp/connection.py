"""One connection of a shell: bytes in through its codec, messages out, and when not to read."""

import asyncio
import logging
from typing import TYPE_CHECKING

from sim.machine import Dial, Message
from sim.tcp.codec import Codec, MakeCodec, Malformed

if TYPE_CHECKING:
    from sim.tcp.shell import Shell

LOG = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """One connection of a shell."""

    transport: asyncio.Transport
    codec: Codec

    def __init__(self, shell: "Shell", make: MakeCodec, dial: Dial | None = None) -> None:
        self.number = 0  # of the machine's connection; 0 until it is introduced
        self._shell = shell
        self._make = make
        self._dial = dial
        self._address = ""
        self._out: list[bytes] = []  # said in this round of the event loop
        self._full = False  # the other side does not read
        self._reading = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or introduce a client whose name is its address."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self._address = f"{peer[0]}:{peer[1]}" if peer else "somebody"
        self.codec = self._make(peer[0] if peer else "")
        if self._dial is not None:
            transport.write(self.codec.greeting)
            self.number = self._shell.take(self)
            self._shell.call(self._shell.machine.dialled, self._dial.tag, self.number)
        else:
            self._introduce()

    def data_received(self, data: bytes) -> None:
        """Hand on what is whole."""
        shell = self._shell
        try:
            for message in self.codec.decode(data):
                if not self.number:
                    self._introduce()
                if not shell.call(shell.machine.received, self.number, message):
                    self._give_up("a request could not be served")
                    return
        except Malformed as error:
            self._out.append(error.farewell)
            self._give_up(str(error))
            return
        self._mind()

    def send(self, message: Message) -> None:
        """Send one message."""
        try:
            self._out.append(self.codec.encode(message))
        except Exception:
            LOG.exception("defect in the encoding of %s", message.kind)
            self._give_up("its answer could not be encoded")
        if len(self._out) == 1:
            self._shell.leave(self)
        again, self.codec.again = self.codec.again, None
        if again is not None:
            self._shell.call(self._shell.machine.received, self.number, again)
        if not self._reading:
            self._mind()

    def write_out(self) -> None:
        """Write what was said in this round."""
        out, self._out = self._out, []
        if out and not self.transport.is_closing():
            self.transport.write(b"".join(out))

    def close(self) -> None:
        """Close, after what was said."""
        self.write_out()
        self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        """Tell the machine, unless it closed the connection itself."""
        shell = self._shell
        if shell.connections.pop(self.number, None) is not None:
            shell.call(shell.machine.disconnected, self.number)

    def pause_writing(self) -> None:
        """Read nothing more from somebody who does not read."""
        self._full = True
        self._mind()

    def resume_writing(self) -> None:
        """Go on."""
        self._full = False
        self._mind()

    def _introduce(self) -> None:
        if self.codec.peer is not None:
            shell = self._shell
            self.number = shell.take(self)
            shell.call(shell.machine.connected, self.number, self.codec.peer)

    def _mind(self) -> None:
        wanted = not (self._full or self.codec.busy())
        if wanted != self._reading and not self.transport.is_closing():
            self._reading = wanted
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def _give_up(self, why: str) -> None:
        LOG.warning("closing the connection of %s: %s", self._address, why)
        self.close()
