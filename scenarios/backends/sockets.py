"""What reading from a connection lacks: all that was asked for, or an error."""

import socket


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """Return `size` bytes; `ConnectionError` if the other side ends before."""
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    return bytes(data)
