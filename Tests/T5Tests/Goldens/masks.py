"""Counter-based dropout masks: Philox4x32-10 over whole arrays of counters.

A decision is a pure function of (seed, step, slot, place, row, column); nothing is drawn in sequence. Element
(row, column) of a tensor of width W takes 16 bits: the high ones from the block whose counter is

    word 0 = (row * ceil(W / 256) + column / 256) * 32 + e % 64 / 4      e = column % 256
    word 1 = place        word 2 = slot        word 3 = step

namely byte e % 4 of word e / 64, and the low ones from the same byte of the block whose word 0 is 16 more. Attention
probabilities are one row for each head: [heads, queries * keys]. Philox: Salmon et al., SC 2011.
"""

import numpy as np

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)

# Kinds of places inside one block of one stack.
EMBEDDING, FINAL_NORM, SELF_PROBABILITIES, SELF_OUTPUT, CROSS_PROBABILITIES, CROSS_OUTPUT, INNER, OUTER = range(8)
SELF_QKV, SELF_O, CROSS_Q, CROSS_KV, CROSS_O, WI, WO = range(8, 15)  # inputs of low-rank paths


def philox(key, counter):
    """[..., 4] 32-bit words of the counters [..., 4] under a 64-bit key."""
    c0, c1, c2, c3 = (np.asarray(counter[..., i], np.uint64) for i in range(4))
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        first, second = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (
            (second >> HALF) ^ c1 ^ np.uint64(k0),
            second & LOW,
            (first >> HALF) ^ c3 ^ np.uint64(k1),
            first & LOW,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=-1)


def place(stack, block, kind, projection=None):
    """The number of a place; `projection` is the index inside the group when every site draws its own mask."""
    number = 0x10000 + (0x8000 if stack == "decoder" else 0) + block * 16 + kind
    return number if projection is None else number + 0x100000 * (1 + projection)


def kept(seed, step, slot, where, rows, width, threshold):
    """Boolean [rows, width]: which elements survive."""
    row, column = np.arange(rows, dtype=np.int64)[:, None], np.arange(width, dtype=np.int64)[None, :]
    element = np.broadcast_to(column % 256, (rows, width))
    counter = np.zeros((rows, width, 4), np.uint64)
    counter[..., 0] = (row * -(-width // 256) + column // 256) * 32 + element % 64 // 4
    counter[..., 1], counter[..., 2], counter[..., 3] = where, slot, step

    def byte():
        words = np.take_along_axis(philox(seed, counter), (element // 64)[..., None], axis=-1)[..., 0]
        return words >> (element % 4 * 8).astype(np.uint64) & np.uint64(0xFF)

    high = byte()
    counter[..., 0] += np.uint64(16)
    return (high << np.uint64(8) | byte()) >= threshold


def multipliers(seed, step, slot, where, rows, width, rate):
    """[rows, width] float32: 0 for dropped elements, 1 / (1 - threshold / 65536) for kept ones."""
    threshold = int(np.floor(rate * 65536 + 0.5))
    scale = np.float32(1) / (np.float32(1) - np.float32(threshold) / np.float32(65536))
    return np.where(kept(seed, step, slot, where, rows, width, threshold), scale, np.float32(0))
