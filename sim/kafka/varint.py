"""Records inside a batch of format version 2: zigzag varints and bytes (`DefaultRecord.java`)."""

_Record = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...], int]


def size(number: int) -> int:
    """Return how many bytes `number` takes.

    >>> size(0), size(-64), size(64), size(-1)
    (1, 1, 2, 1)
    """
    zigzag = number << 1 if number >= 0 else -(number << 1) - 1
    return (zigzag.bit_length() + 6) // 7 or 1


def write(number: int) -> bytes:
    """Return `number` as a zigzag varint.

    >>> write(-1), write(64)
    (b'\\x01', b'\\x80\\x01')
    """
    zigzag = number << 1 if number >= 0 else -(number << 1) - 1
    if zigzag < 0x80:
        return _ONE_BYTE[zigzag]
    out = bytearray()
    while zigzag >= 0x80:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def read(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and where it ends; IndexError if the bytes do.

    >>> read(b"\\x80\\x01", 0)
    (64, 2)
    """
    byte = data[at]
    at += 1
    zigzag = byte & 0x7F
    shift = 7
    while byte >= 0x80:
        if shift > 63:
            raise ValueError("a varint is longer than ten bytes")
        byte = data[at]
        at += 1
        zigzag |= (byte & 0x7F) << shift
        shift += 7
    return (zigzag >> 1) ^ -(zigzag & 1), at


def record(content: _Record, base_timestamp: int, index: int) -> bytes:
    """Return one record as bytes."""
    key, value, headers, timestamp = content
    parts = [b"\0", write(timestamp - base_timestamp), write(index), _sized(key), _sized(value)]
    parts.append(write(len(headers)))
    for name, value_of_header in headers:
        parts.append(_sized(name.encode()))
        parts.append(_sized(value_of_header))
    body = b"".join(parts)
    return write(len(body)) + body


def record_size(content: _Record, base_timestamp: int, index: int) -> int:
    """Return how many bytes `record` gives."""
    key, value, headers, timestamp = content
    total = 1 + size(timestamp - base_timestamp) + size(index) + size(len(headers))
    total += 1 if key is None else size(len(key)) + len(key)
    total += 1 if value is None else size(len(value)) + len(value)
    for name, value_of_header in headers:
        width = len(name.encode())
        total += size(width) + width
        total += 1 if value_of_header is None else size(len(value_of_header)) + len(value_of_header)
    return total + size(total)


def read_record(data: bytes, at: int, base_timestamp: int, index: int) -> tuple[_Record, int]:
    """Return the record at `at` and where it ends."""
    length, at = read(data, at)
    end = at + length
    if length < 0 or end > len(data):
        raise ValueError(f"it says {length} bytes")
    delta, at = read(data, at + 1)
    offset, at = read(data, at)
    if offset != index:
        raise ValueError(f"its offset delta is {offset}, not {index}")
    key, at = _read_sized(data, at)
    value, at = _read_sized(data, at)
    count, at = read(data, at)
    headers = []
    for _ in range(count):
        name, at = _read_sized(data, at)
        content, at = _read_sized(data, at)
        headers.append(((name or b"").decode(), content))
    if at != end:
        raise ValueError(f"it ends {end - at} bytes after its headers")
    return (key, value, tuple(headers), base_timestamp + delta), end


def _sized(content: bytes | None) -> bytes:
    return b"\x01" if content is None else write(len(content)) + content


def _read_sized(data: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = read(data, at)
    if length < 0:
        return None, at
    end = at + length
    if end > len(data):
        raise IndexError(f"{length} bytes are wanted and {len(data) - at} left")
    return data[at:end], end


_ONE_BYTE = [bytes([n]) for n in range(0x80)]
