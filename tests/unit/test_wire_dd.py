"""The dependency descriptor: what Chromium sent, and descriptors written here field by field."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.support.dependency import DTIS, Structure, Template, descriptor
from fanwire.fastpath.testing import probes

# Chromium's AV1 in L3T3: the start of a keyframe, with sizes of 120x67, 240x135 and 480x270.
CHROMIUM = bytes.fromhex(
    "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac128250"
    "3157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d"
)
NINE = [(spatial, temporal) for spatial in range(3) for temporal in range(3)]


@pytest.mark.parametrize(
    ("data", "layer", "dtis", "active"),
    [
        (CHROMIUM.hex(), (0, 0), "SSSSSSSSS", 0b111_111_111),
        ("86017340fc", (1, 0), "---SSSSSS", 0b111_111),
        ("860173", (1, 0), "---SSSSSS", None),
        ("8b0174", (2, 0), "------SSS", None),
        ("c30175", (0, 2), "--D--R--R", None),
        ("88017640fc", (1, 2), "-----D--R", 0b111_111),
        ("c2017840fc", (0, 1), "-DS-RR-RR", 0b111_111),
    ],
)
def test_what_chromium_sends_is_read(data: str, layer: tuple[int, int], dtis: str, active: int | None) -> None:
    frame = probes.dd_frame(bytes.fromhex(data), CHROMIUM)
    assert frame == {
        "spatial": layer[0],
        "temporal": layer[1],
        "refers": data != CHROMIUM.hex(),
        "dtis": dtis,
        "active": active,
        "targets": NINE,
        "sizes": [(120, 67), (240, 135), (480, 270)],
    }


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    layers = draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7), st.integers(1, 3)), min_size=1, max_size=9).map(
            lambda steps: fill(sorted(steps))
        )
    )
    targets = draw(st.integers(1, 32))
    chains = draw(st.integers(0, targets))
    templates = [
        Template(
            spatial,
            temporal,
            draw(st.text(DTIS, min_size=targets, max_size=targets)),
            draw(st.lists(st.integers(1, 16), max_size=3)),
            draw(st.lists(st.integers(0, 15), min_size=chains, max_size=chains)),
        )
        for spatial, temporal in layers
    ]
    protected_by = draw(st.lists(st.integers(0, chains - 1), min_size=targets, max_size=targets)) if chains else []
    sizes = [(640, 360)] * (layers[-1][0] + 1) if draw(st.booleans()) else []
    return Structure(templates, protected_by, sizes, id_offset=draw(st.integers(0, 63)))


def fill(steps: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Layers as templates can name them: from 0, each of the kinds wanted as often as wanted, none left out between."""
    highest: dict[int, int] = {}
    for spatial, temporal, _ in steps:
        highest[spatial] = max(highest.get(spatial, 0), temporal)
    times = {(spatial, temporal): count for spatial, temporal, count in steps}
    return [
        (spatial, temporal)
        for spatial in range(max(highest) + 1)
        for temporal in range(highest.get(spatial, 0) + 1)
        for _ in range(times.get((spatial, temporal), 1))
    ][:64]


def expected_targets(structure: Structure) -> list[tuple[int, int]]:
    present = [[t for t in structure.templates if t.dtis[i] != "-"] for i in range(structure.targets)]
    return [(max((t.spatial for t in of), default=0), max((t.temporal for t in of), default=0)) for of in present]


@given(structures(), st.data())
def test_every_shape_of_a_descriptor_is_read(structure: Structure, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(structure.templates) - 1))
    template = structure.templates[index]
    targets, chains = structure.targets, structure.chains
    mask = data.draw(st.none() | st.integers(0, (1 << targets) - 1))
    dtis = data.draw(st.none() | st.text(DTIS, min_size=targets, max_size=targets))
    fdiffs = data.draw(st.none() | st.lists(st.integers(1, 4096), max_size=4))
    own_chains = data.draw(st.none() | st.lists(st.integers(0, 255), min_size=chains, max_size=chains))
    carries = data.draw(st.booleans())
    carrier = descriptor(structure.id_offset, 1, structure=structure)
    written = descriptor(
        index + structure.id_offset,
        7,
        structure=structure if carries else None,
        active=None if mask is None else (mask, targets),
        dtis=dtis,
        fdiffs=fdiffs,
        chain_fdiffs=own_chains,
    )
    everything = (1 << targets) - 1 if carries else None
    assert probes.dd_frame(written, carrier) == {
        "spatial": template.spatial,
        "temporal": template.temporal,
        "refers": bool(template.fdiffs if fdiffs is None else fdiffs),
        "dtis": template.dtis if dtis is None else dtis,
        "active": everything if mask is None else mask,
        "targets": expected_targets(structure),
        "sizes": list(structure.sizes),
    }
    for cut in range(4, len(written)):
        assert probes.dd_frame(written[:cut], carrier) is None
    for cut in range(len(carrier)):
        assert probes.dd_frame(written, carrier[:cut]) is None


@given(structures(), st.data())
def test_a_frame_is_tied_to_the_one_before_it_and_keeps_all_else(structure: Structure, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(structure.templates) - 1))
    targets, chains = structure.targets, structure.chains
    mask = data.draw(st.none() | st.integers(0, (1 << targets) - 1))
    dtis = data.draw(st.none() | st.text(DTIS, min_size=targets, max_size=targets))
    chain_fdiffs = data.draw(st.none() | st.lists(st.integers(0, 255), min_size=chains, max_size=chains))
    fdiffs = data.draw(st.none() | st.lists(st.integers(1, 4096), max_size=6))

    def written(fdiffs: list[int] | None) -> bytes:
        active = None if mask is None else (mask, targets)
        ident = index + structure.id_offset
        return descriptor(ident, 7, active=active, dtis=dtis, fdiffs=fdiffs, chain_fdiffs=chain_fdiffs)

    refers = sorted(set(structure.templates[index].fdiffs)) if fdiffs is None else fdiffs
    tied = None if 1 in refers or len(refers) >= 5 else written([*refers, 1])
    assert probes.dd_tie(written(fdiffs), descriptor(structure.id_offset, 1, structure=structure)) == tied


def test_templates_that_a_structure_does_not_have_tell_nothing() -> None:
    structure = Structure([Template(0, 0, "S"), Template(0, 1, "D", [1])], id_offset=63)
    carrier = descriptor(63, 1, structure=structure)
    known = [ident for ident in range(64) if probes.dd_frame(descriptor(ident, 2), carrier)]
    assert known == [0, 63]


def test_a_structure_keeps_its_bounds() -> None:
    def readable(templates: list[Template]) -> bool:
        carrier = descriptor(0, 1, structure=Structure(templates))
        return probes.dd_frame(carrier, carrier) is not None

    one = Template(0, 0, "S")
    assert readable([one] * 64)
    assert not readable([one] * 65)
    assert readable([replace(one, temporal=temporal) for temporal in range(8)])
    assert not readable([replace(one, temporal=temporal) for temporal in range(9)])
    assert readable([replace(one, spatial=spatial) for spatial in range(4)])
    assert not readable([replace(one, spatial=spatial) for spatial in range(5)])
