"""A time server's answer (SNTP, RFC 4330): a pure function."""

NTP_UNIX_S = 2_208_988_800  # from 1900 to 1970
PORT = 123


def answer(request: bytes, unix_s: float) -> bytes | None:
    """The 48 bytes that answer a client's `request` at true time `unix_s`; None for anything else."""
    if len(request) < 48 or request[0] & 7 != 3:
        return None
    version = request[0] >> 3 & 7
    stamp = round((unix_s + NTP_UNIX_S) * (1 << 32)).to_bytes(9, "big")[-8:]
    head = bytes((version << 3 | 4, 2, request[2], 0xEC)) + bytes(4) + b"\0\0\0\x10" + b"SIM\0"
    return head + stamp + request[40:48] + stamp + stamp
