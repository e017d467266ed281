"""Parts: takes the JSON of a long message apart where it lies, in a file. A late module, with those that need it.

Rule: as objects the message would not fit the heap, nor as text beside what is made of it; so it is read in small pieces, and each part by itself. It
must not know what the parts mean.
"""

if False:  # for annotations
    from shapes import Iterator, Readable, Span

KEY_MAX = 32  # bytes in which a key of a message is to be recognised, with its colon and white space
_WINDOW = 64


def part(f: "Readable", start: int, end: int) -> bytes:
    """The bytes from `start` to `end`, without white space around them."""
    f.seek(start)
    return f.read(end - start).strip()


def _bytes(f: "Readable", start: int, end: int) -> "Iterator[int]":
    while start < end:
        f.seek(start)
        window = f.read(min(_WINDOW, end - start))
        if not window:
            raise ValueError("text")
        for byte in window:
            yield byte
        start += len(window)


def children(f: "Readable", start: int, end: int) -> "list[Span]":
    """[(start, end)] of what stands between the commas of the JSON object or list that lies between `start` and `end`. Raises ValueError."""
    found = []
    depth = 0
    at = start
    quoted = escaped = False
    blank = True
    for byte in _bytes(f, start, end):
        if quoted:
            quoted = escaped or byte != 34
            escaped = byte == 92 and not escaped
        elif byte == 34:
            quoted = True
            blank = False
        elif byte in b"{[":
            depth += 1
            blank = depth == 1
            if blank:
                start = at + 1
        elif depth == 1 and byte in b",]}":
            if not blank:
                found.append((start, at))
            start = at + 1
            blank = True
        elif byte not in b" \t\r\n":
            blank = False
            if not depth:
                raise ValueError("text")
        if byte in b"]}" and not quoted:
            depth -= 1
        at += 1
    if depth or quoted:
        raise ValueError("text")
    return found
