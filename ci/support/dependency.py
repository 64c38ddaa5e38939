"""Writes dependency descriptors (AV1 RTP specification appendix A.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DTIS = "-DSR"


class Bits:
    """Writes numbers of given bit lengths one after another."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, value: int, width: int) -> None:
        assert 0 <= value < 1 << width
        self.text += f"{value:0{width}b}" if width else ""

    def put_below(self, value: int, bound: int) -> None:
        """ns(n) of section A.8.1."""
        width = bound.bit_length()
        short = (1 << width) - bound
        if value < short:
            self.put(value, width - 1)
        else:
            self.put(value + short, width)

    def __bytes__(self) -> bytes:
        text = self.text + "0" * (-len(self.text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


@dataclass(frozen=True)
class Template:
    """`dtis` has a character for each decode target, in the notation of the appendix: - D S R."""

    spatial: int
    temporal: int
    dtis: str
    fdiffs: Sequence[int] = ()
    chain_fdiffs: Sequence[int] = ()


@dataclass(frozen=True)
class Structure:
    """Templates by spatial, then temporal layer; `protected_by` names the chain of each decode target."""

    templates: Sequence[Template]
    protected_by: Sequence[int] = ()
    sizes: Sequence[tuple[int, int]] = ()
    id_offset: int = 0

    @property
    def targets(self) -> int:
        return len(self.templates[0].dtis)

    @property
    def chains(self) -> int:
        return len(self.templates[0].chain_fdiffs)

    def write(self, bits: Bits) -> None:
        bits.put(self.id_offset, 6)
        bits.put(self.targets - 1, 5)
        for template, after in zip(self.templates, [*self.templates[1:], None], strict=True):
            if after is None:
                bits.put(3, 2)
            elif after.spatial > template.spatial:
                bits.put(2, 2)
            else:
                bits.put(after.temporal - template.temporal, 2)
        for template in self.templates:
            write_dtis(bits, template.dtis)
        for template in self.templates:
            for fdiff in template.fdiffs:
                bits.put(0x10 | fdiff - 1, 5)
            bits.put(0, 1)
        bits.put_below(self.chains, self.targets + 1)
        if self.chains:
            for chain in self.protected_by:
                bits.put_below(chain, self.chains)
            for template in self.templates:
                for fdiff in template.chain_fdiffs:
                    bits.put(fdiff, 4)
        bits.put(bool(self.sizes), 1)
        for width, height in self.sizes:
            bits.put(width - 1, 16)
            bits.put(height - 1, 16)


def write_dtis(bits: Bits, dtis: str) -> None:
    for dti in dtis:
        bits.put(DTIS.index(dti), 2)


def descriptor(
    template: int,
    number: int,
    *,
    start: bool = True,
    end: bool = True,
    structure: Structure | None = None,
    active: tuple[int, int] | None = None,
    dtis: str | None = None,
    fdiffs: Sequence[int] | None = None,
    chain_fdiffs: Sequence[int] | None = None,
) -> bytes:
    """One packet's descriptor. `template` is its id, with the offset of its structure in it; `active` is a mask and its
    count of decode targets; `dtis`, `fdiffs` and `chain_fdiffs` replace those of the template."""
    bits = Bits()
    for value, width in ((start, 1), (end, 1), (template & 63, 6), (number & 0xFFFF, 16)):
        bits.put(value, width)
    own = (structure, active, dtis, fdiffs, chain_fdiffs)
    if all(part is None for part in own):
        return bytes(bits)
    for part in own:
        bits.put(part is not None, 1)
    if structure is not None:
        structure.write(bits)
    if active is not None:
        bits.put(*active)
    if dtis is not None:
        write_dtis(bits, dtis)
    if fdiffs is not None:
        for fdiff in fdiffs:
            size = 1 if fdiff <= 16 else 2 if fdiff <= 256 else 3
            bits.put(size, 2)
            bits.put(fdiff - 1, 4 * size)
        bits.put(0, 2)
    for fdiff in chain_fdiffs or ():
        bits.put(fdiff, 8)
    return bytes(bits)
