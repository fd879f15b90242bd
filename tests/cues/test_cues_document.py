"""The JSON document: what is saved loads back equal, and every fault is named by its path."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cue_strategies import sheets
from hypothesis import given
from hypothesis import strategies as st

from weft.cues.sheet import Clip, CueSheet, Onset, When
from weft.errors import CueError, MediaError


def document(*parts: str) -> str:
    return "{" + ", ".join(['"clip": {"duration": 8.0}', *parts]) + "}"


@given(sheets())
def test_a_saved_sheet_loads_back_equal(sheet: CueSheet):
    again = CueSheet.from_json(sheet.to_json())
    assert again == sheet
    assert hash(again) == hash(sheet)
    assert again.to_json() == sheet.to_json()
    if sheet.when.onsets is not None:
        assert [o.unwritten for o in again.when.onsets] == [o.unwritten for o in sheet.when.onsets]


def test_a_file_is_written_whole_and_never_over_another_unasked(tmp_path: Path):
    sheet = CueSheet(clip=Clip(duration=8.0), when=When(onsets=(Onset(t=1.0, strength=0.5),)))
    path = tmp_path / "sheet.cues.json"
    sheet.save(path)
    assert CueSheet.load(path) == sheet
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.cues.json"]
    with pytest.raises(MediaError, match="exists already"):
        sheet.save(path)
    empty = CueSheet(clip=Clip(duration=1.0))
    empty.save(path, overwrite=True)
    assert CueSheet.load(path) == empty
    with pytest.raises(MediaError, match="does not exist"):
        sheet.save(tmp_path / "nowhere" / "sheet.json")


def test_the_document_reads_well():
    sheet = CueSheet(
        clip=Clip(duration=8.0, width=1280, height=720), when=When(onsets=(Onset(t=0.512), Onset(t=1.0)))
    )
    assert sheet.to_json().splitlines() == [
        "{",
        '  "version": 1,',
        '  "clip": {"duration": 8.0, "width": 1280, "height": 720},',
        '  "when": {',
        '    "onsets": [',
        '      {"t": 0.512},',
        '      {"t": 1.0}',
        "    ],",
        '    "source": "person"',
        "  },",
        '  "where": {},',
        '  "what": {}',
        "}",
    ]


def test_every_field_may_be_missing_or_null():
    known = Clip(duration=3.0, width=640, height=480)
    assert CueSheet.from_json("{}", clip=known) == CueSheet(clip=known)
    nulls = '{"clip": {"duration": 2, "fps": null}, "when": null, "where": {"tracks": null}}'
    assert CueSheet.from_json(nulls) == CueSheet(clip=Clip(duration=2.0))
    own = CueSheet.from_json('{"clip": {"duration": 2}}', clip=known)
    assert own.clip == Clip(duration=2.0, width=640, height=480)
    with pytest.raises(CueError, match=r"^clip.duration: missing"):
        CueSheet.from_json("{}")


def test_empty_is_not_missing():
    sheet = CueSheet.from_json(document('"when": {"onsets": []}', '"where": {"tracks": []}'))
    assert sheet.when.onsets == ()
    assert sheet.where.tracks == ()


def test_the_index_in_a_fault_is_the_one_in_the_file_though_onsets_are_sorted():
    text = document('"when": {"onsets": [{"t": 3}, {"t": 1}, {"t": 2, "strength": 7}]}')
    with pytest.raises(CueError, match=re.escape("when.onsets[2].strength: 7 ")):
        CueSheet.from_json(text)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (
            '"when": {"onsets": [{"t": 1}, {"t": -0.2}]}',
            "when.onsets[1].t: -0.2 is before the clip; give seconds from 0 to 8.0",
        ),
        (
            '"when": {"onsets": [{"t": 9}]}',
            "when.onsets[0].t: 9 is after the clip ends; give seconds from 0 to 8.0",
        ),
        ('"when": {"onsets": [{"t": NaN}]}', "when.onsets[0].t: NaN is not a finite number"),
        ('"when": {"onsets": [{"t": 1e999}]}', "when.onsets[0].t: Infinity is after the clip ends"),
        ('"when": {"onsets": [{"strength": 1}]}', "when.onsets[0].t: missing; give seconds"),
        ('"when": {"onsets": [1]}', "when.onsets[0]: 1 is not an object"),
        ('"when": {"onsets": {"t": 1}}', 'when.onsets: {"t": 1} is not a list'),
        (
            '"when": {"onsets": [{"t": 1, "materiel": "wood"}]}',
            "when.onsets[0].materiel: unknown key; did you mean material?",
        ),
        (
            '"when": {"onsets": [{"t": 1, "material": "Plastic Bags"}]}',
            'when.onsets[0].material: "Plastic Bags" is not known; did you mean plastic-bag?',
        ),
        ('"when": {"envelope": {"hop": 0.1, "rms": [0, "a"]}}', 'when.envelope.rms[1]: "a" is not a number'),
        (
            '"when": {"envelope": {"hop": 0.1, "rms": [0, true]}}',
            "when.envelope.rms[1]: true is not a number",
        ),
        ('"when": {"envelope": {"rms": [0]}}', "when.envelope.hop: missing"),
        ('"when": {"envelope": {"hop": 128, "rms": [0, 0]}}', "when.envelope.hop: 128 is no step"),
        ('"when": {"envelope": {"hop": 9, "rms": [0, 0, 0]}}', "when.envelope.rms: 3 values 9 s apart"),
        ('"when": [], "what": {}', "when: [] is not an object"),
        ('"whne": {}', "whne: unknown key; did you mean when?"),
        (
            '"where": {"tracks": [{"t": [0, 1], "box": [[0, 0, 1, 1]]}]}',
            "where.tracks[0].box: 1 boxes for 2 times",
        ),
        (
            '"where": {"tracks": [{"t": [0], "box": [[0.9, 0, 0.1, 1]]}]}',
            "where.tracks[0].box[0]: [0.9, 0.0, 0.1, 1.0] is",
        ),
        (
            '"where": {"tracks": [{"t": [-1], "box": [[0, 0, 1, 1]]}]}',
            "where.tracks[0].t[0]: -1.0 is before the clip",
        ),
        (
            '"where": {"tracks": [{"t": 3, "box": [[0, 0, 1, 1]]}]}',
            "where.tracks[0].t: 3 is not a list of numbers",
        ),
        ('"what": {"prompt": ["wood"]}', 'what.prompt: ["wood"] is not text'),
        (
            '"what": {"segments": [{"start": 3, "end": 2, "prompt": "x"}]}',
            "what.segments[0].end: 2 is not after",
        ),
        ('"what": {"segments": [{"start": 3, "end": 4}]}', "what.segments[0].prompt: missing"),
        ('"what": {"prompt": "a", "prompt": "b"}', "what.prompt: written twice; keep one"),
        ('"version": 2', "version: 2 is not supported; this weft reads version 1"),
        ('"version": "1"', 'version: "1" is not supported'),
    ],
)
def test_faults_begin_with_their_json_path(inside: str, message: str):
    with pytest.raises(CueError) as refusal:
        CueSheet.from_json(document(inside))
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", '"x"', "[" * 10**5, "1" * 10**4, "nul", "{'a': 1}"])
def test_what_is_no_sheet_is_refused_in_one_line(text: str):
    with pytest.raises(CueError, match=r"^(line 1|document)[^\n]*$"):
        CueSheet.from_json(text)


def test_unreadable_files_are_refused(tmp_path: Path):
    with pytest.raises(CueError, match="cannot be read"):
        CueSheet.load(tmp_path / "missing.json")
    with pytest.raises(CueError, match="cannot be read"):
        CueSheet.load(tmp_path)
    (tmp_path / "picture.json").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(CueError, match="not a text file"):
        CueSheet.load(tmp_path / "picture.json")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "t",
                    "onsets",
                    "when",
                    "where",
                    "what",
                    "tracks",
                    "box",
                    "rms",
                    "hop",
                    "envelope",
                    "segments",
                    "prompt",
                    "start",
                    "end",
                    "duration",
                    "clip",
                    "label",
                    "depth",
                    "source",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JUNK)
def test_any_json_at_all_is_a_sheet_or_a_cue_error(junk: object):
    try:
        sheet = CueSheet.from_json(json.dumps(junk), clip=Clip(duration=4.0))
    except CueError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert CueSheet.from_json(sheet.to_json()) == sheet
