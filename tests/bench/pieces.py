"""Runs of serialised objects, kept ready to be sent plain or inside one gzip member.

An API server compresses long answers with gzip level 1. To serve pages of any size without compressing at the time of
the request, runs of 50 objects are deflated beforehand, each ended by a full flush, and a page joins such runs into a
single gzip member; its checksum is combined from the runs' checksums.
"""

import functools
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

RUN = 50
"""Objects in a run."""

_POLYNOMIAL = 0xEDB88320
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"


class Piece(NamedTuple):
    """Some bytes of a body, and the same bytes deflated."""

    plain: bytes
    deflated: bytes
    checksum: int


def piece(plain: bytes, last: bool = False) -> Piece:
    """Deflate some bytes so that other pieces can follow them (unless they are the last)."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflate.compress(plain) + deflate.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)
    return Piece(plain, deflated, zlib.crc32(plain))


COMMA = piece(b",")


def _multiply(left: int, right: int) -> int:
    """The product of two polynomials over GF(2), bits reflected, modulo the polynomial of CRC-32."""
    product, mask = 0, 1 << 31
    while left:
        if left & mask:
            product ^= right
            left ^= mask
        mask >>= 1
        right = right >> 1 ^ _POLYNOMIAL if right & 1 else right >> 1
    return product


@functools.lru_cache(maxsize=100_000)
def _shift(length: int) -> int:
    """The polynomial x to the power of ``8 * length``: what a checksum is multiplied by when that many bytes follow."""
    result, power = 1 << 31, 1 << 23
    while length:
        if length & 1:
            result = _multiply(power, result)
        power = _multiply(power, power)
        length >>= 1
    return result


def combine(first: int, second: int, length: int) -> int:
    """The CRC-32 of two byte strings put together, from the CRC-32 of each and the second one's length."""
    return _multiply(_shift(length), first) ^ second


def gzip_member(pieces: Iterable[Piece]) -> list[bytes]:
    """One gzip member that holds the pieces; the last of them must have been made as such."""
    checksum, size, parts = 0, 0, [_GZIP_HEADER]
    for part in pieces:
        checksum = combine(checksum, part.checksum, len(part.plain))
        size += len(part.plain)
        parts.append(part.deflated)
    parts.append(struct.pack("<II", checksum, size & 0xFFFFFFFF))
    return parts


class Objects:
    """All objects of one kind in one form, in runs; what has changed since is rendered anew when it is asked for."""

    def __init__(self, count: int, render: Callable[[int], bytes]) -> None:
        self.count = count
        self._render = render
        self._runs: list[tuple[Piece, tuple[int, ...]] | None] = [None] * -(-count // RUN)

    def prepare(self) -> None:
        """Make all runs now, so that no request pays for it."""
        for number in range(len(self._runs)):
            self._run(number)

    def _run(self, number: int) -> tuple[Piece, tuple[int, ...]]:
        run = self._runs[number]
        if run is None:
            items = [self._render(index) for index in range(number * RUN, min((number + 1) * RUN, self.count))]
            ends, position = [], -1
            for item in items:
                position += len(item) + 1
                ends.append(position)
            run = self._runs[number] = piece(b",".join(items)), tuple(ends)
        return run

    def item(self, index: int) -> bytes:
        """One object as it was in the beginning."""
        run, ends = self._run(index // RUN)
        offset = index % RUN
        return run.plain[ends[offset - 1] + 1 if offset else 0 : ends[offset]]

    def pieces(self, start: int, end: int, changed: Callable[[int, int], dict[int, bytes]]) -> list[Piece]:
        """The objects from start up to end, parted by commas.

        Args:
            start: the first index.
            end: the index after the last.
            changed: asked for each run (its first index, the index after its last): the objects to be put in
                place of the first ones.
        """
        result: list[Piece] = []
        for number in range(start // RUN, -(-end // RUN)):
            low, high = max(start, number * RUN), min(end, (number + 1) * RUN)
            replaced = changed(low, high)
            run, ends = self._run(number)
            if replaced or high - low != len(ends):
                items: Sequence[bytes] = [replaced.get(index) or self.item(index) for index in range(low, high)]
                run = piece(b",".join(items))
            if result:
                result.append(COMMA)
            result.append(run)
        return result
