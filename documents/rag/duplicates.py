"""Texts that say nearly the same, known by their signatures, so that none has to be read again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from documents.rag.types import Chunk, Hit

NEAR = 0.8
"""How much of two texts is the same, at least, where they are near-duplicates.

So are 99 % of copies with a new header or one word in a hundred changed, 88 % with two, 4 % with five; and of
20 million pairs of passages in eight collections 33, of which 20 are equal and none has less than ¾ in common.
"""

SHORT = 256
"""Letters up to which one word makes the sense of a text: there only the same letters are a duplicate."""

_BINS = 64
_BAND = "<i4"
"""Four bins a band: of near-duplicates, 9,998 in 10,000 pairs have one in common."""

_LETTERS = np.array([byte > 127 or chr(byte).isalnum() for byte in range(256)])
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93], np.uint64)
_HALF, _BIN = np.uint64(32), np.uint64(58)


def signature(chunk: Chunk) -> list[int]:
    """Sixteen numbers: of near-duplicates some are equal, at the same places, and of their 64 bytes as large a share
    as of their texts.

    MinHash by one permutation (Li, Owen & Zhang, NIPS 2012) of all stretches of 16 bytes of letters and digits, in
    small letters, of the chunk with the headings above it.
    """
    text = "\n".join((*chunk.heading_path, chunk.text)).lower()
    data = np.frombuffer(text.encode(), np.uint8)
    letters = data[_LETTERS[data]]
    if len(letters) < SHORT:
        return _bands(np.frombuffer(hashlib.blake2b(letters.tobytes(), digest_size=_BINS).digest(), np.uint8))
    hashes = _hashes(letters.astype(np.uint64))
    least = np.full(_BINS, -1, np.int64).view(np.uint64)
    np.minimum.at(least, (hashes >> _BIN).astype(np.intp), hashes)
    return _bands(least.astype(np.uint8))


def _bands(bins: NDArray[np.uint8]) -> list[int]:
    numbers: list[int] = bins.view(_BAND).tolist()
    return numbers


def _hashes(letters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number for each stretch of 16 bytes."""
    eights = letters
    for step in (1, 2, 4):
        eights = (eights[:-step] << np.uint64(8 * step)) | eights[step:]
    mixed = (eights[:-8] * _MIX[0]) ^ (eights[8:] * _MIX[1])
    mixed = (mixed ^ (mixed >> _HALF)) * _MIX[2]
    hashes: NDArray[np.uint64] = mixed ^ (mixed >> _HALF)
    return hashes


def distinct(hits: Sequence[Hit], limit: int) -> list[list[Hit]]:
    """The first `limit` of the hits that are no near-duplicates of one before them, each followed by its own.

    One of which no signature is known is taken for like none.
    """
    signatures = _bytes([hit.signature or _own(hit.chunk) for hit in hits])
    left = np.ones(len(hits), bool)
    groups: list[list[Hit]] = []
    while len(groups) < limit and left.any():
        first = int(left.argmax())
        alike = left & _near(signatures, signatures[first])
        groups.append([hits[at] for at in np.flatnonzero(alike).tolist()])
        left &= ~alike
    return groups


def _own(chunk: int) -> list[int]:
    return _bands(np.frombuffer(hashlib.blake2b(str(chunk).encode(), digest_size=_BINS).digest(), np.uint8))


def are_near(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether the texts of two signatures are near-duplicates."""
    return bool(_near(*_bytes([one, other])))


def _bytes(signatures: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    return np.array(signatures, _BAND).view(np.uint8).reshape(-1, _BINS)


def _near(signatures: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = (signatures == other).mean(axis=-1) >= NEAR
    return near
