"""The table of onsets: exact there and back, forgiving of how others write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cue_strategies import onsets
from hypothesis import given
from hypothesis import strategies as st

from weft.cues.onsets_csv import load_csv, onsets_from_csv, onsets_to_csv, save_csv
from weft.cues.sheet import Onset
from weft.errors import CueError


@given(st.lists(onsets(), max_size=8))
def test_onsets_survive_the_table(given_onsets: list[Onset]):
    given_onsets.sort(key=lambda o: o.t)
    back = onsets_from_csv(onsets_to_csv(given_onsets))
    assert back == tuple(given_onsets)
    assert [o.unwritten for o in back] == [o.unwritten for o in given_onsets]


def test_the_table_reads_well():
    table = onsets_to_csv([Onset(t=0.5, strength=0.8, material="wood", action="hit"), Onset(t=1.25)])
    assert table == "t,strength,duration,material,action\n0.5,0.8,,wood,hit\n1.25,,,,\n"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", ()),
        ("\n# only a note\n", ()),
        ("1\n0.5\n", (Onset(t=0.5), Onset(t=1.0))),
        ("\ufefftime,strength\n1,0.5", (Onset(t=1.0, strength=0.5),)),
        ("Time (s);Level;Material\n1,5;0,5;Plastic Bag", (Onset(t=1.5, strength=0.5, material="plastic-bag"),)),
        ("material\tONSET\twhatever\nwood\t2\tx", (Onset(t=2.0, material="wood"),)),
        ("start_s,end_s\n1,1.5", (Onset(t=1.0, duration=0.5),)),
        ("t,velocity\n1:02.5,127", (Onset(t=62.5, strength=1.0),)),
        ("0:01:02.5", (Onset(t=62.5),)),
        ("1.500\t1.500\tmetal hit\n2\t3\tScratch on wood", (
            Onset(t=1.5, material="metal", action="hit"),
            Onset(t=2.0, duration=1.0, material="wood", action="scratch"))),
    ],
)  # fmt: skip
def test_what_people_have_is_read(text: str, want: tuple[Onset, ...]):
    assert onsets_from_csv(text) == want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo,bar\n1,2", r"^line 1: no column of times; name one t"),
        ("t,strength\n1,0.5\n\n2,loud", r'^line 4: strength: "loud" is not a number'),
        ("t\n-1", r"^line 2: t: -1.0 is before the clip"),
        ("t\nnan", r"^line 2: t: NaN is not a finite number"),
        ("t\nsoon", r'^line 2: t: "soon" is no time; give seconds, or minutes as 1:02.5'),
        ("t,strength\n,1", r"^line 2: t: missing"),
        ("t,material\n1,wod", r'^line 2: material: "wod" is not known; did you mean wood\?'),
        ("t,velocity\n1,200", r'^line 2: velocity: "200" is out of range; give 1 to 127'),
        ("t,strength\n1,0.5,0.7", r"^line 2: 3 cells for 2 columns"),
        ("t,end\n2,1", r"^line 2: duration: -1.0 is negative"),
    ],
)
def test_faults_name_their_line(text: str, message: str):
    with pytest.raises(CueError, match=message):
        onsets_from_csv(text)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_a_table_or_a_cue_error(text: str):
    try:
        onsets_from_csv(text)
    except CueError as refusal:
        assert str(refusal).startswith("line ")


def test_files(tmp_path: Path):
    path = tmp_path / "onsets.csv"
    save_csv([Onset(t=1.0)], path)
    assert load_csv(path) == (Onset(t=1.0),)
    with pytest.raises(CueError, match="cannot be read"):
        load_csv(tmp_path / "missing.csv")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CueError, match="not a text file"):
        load_csv(path)
