"""Shards of examples: what is written is read, at random and by WebDataset, and only by those it was made for."""

import json

import pytest
import torch
from joint_toys import MADE_OF, example, shards

from weft.errors import MediaError, UserError
from weft.training.embedded import Embedded, claim, statistics, write_shard


def test_every_example_comes_back(tmp_path):
    read = Embedded(
        [shards(tmp_path / "films", 6, pictured=True), shards(tmp_path / "more", 3, pictured=True)]
    )
    assert len(read) == 9
    for number, wanted in ((0, 0), (5, 5), (6, 0), (8, 2)):
        own = example(wanted, pictured=True)
        found = read[number]
        assert found.keys() == {"mean", "std", "clip", "sync", "text"}
        assert all(torch.equal(found[name], getattr(own, name)) for name in found)
        note = read.note(number)
        assert note == {"caption": own.caption, "source": own.source, "pictures": True}
    assert torch.equal(read.no_words(), torch.full((3, 7), 0.25))
    read.close()


def test_half_precision_is_a_half_of_the_size_and_near(tmp_path):
    claim(tmp_path, MADE_OF, torch.zeros(3, 7))
    write_shard(tmp_path / "a.tar", [example(0, pictured=False)])
    found = Embedded([tmp_path])[0]
    assert found["mean"].dtype == torch.float32
    assert torch.allclose(found["mean"], example(0, pictured=False).mean, rtol=1e-2)
    assert not torch.equal(found["mean"], example(0, pictured=False).mean)
    assert "clip" not in found


def test_webdataset_streams_the_same(tmp_path):
    webdataset = pytest.importorskip("webdataset")
    from safetensors.torch import load

    shards(tmp_path, 3, pictured=True)
    rows = list(webdataset.WebDataset(str(tmp_path / "part-000.tar"), shardshuffle=False))
    assert [row["__key__"] for row in rows] == ["one-0", "one-1", "one-2"]
    assert torch.equal(load(rows[2]["safetensors"])["sync"], example(2, pictured=True).sync)
    assert json.loads(rows[1]["json"])["caption"] == "sound 1"


def test_a_folder_belongs_to_its_encoders(tmp_path):
    folder = shards(tmp_path / "a", 2, pictured=True)
    claim(folder, MADE_OF | {"about": "today"}, torch.zeros(3, 7))
    other = MADE_OF | {"codec": "xyz"}
    with pytest.raises(UserError, match="was made of codec abc, not xyz"):
        claim(folder, other, torch.zeros(3, 7))
    claim(tmp_path / "b", other, torch.zeros(3, 7))
    write_shard(tmp_path / "b/x.tar", [example(0, pictured=True)])
    with pytest.raises(UserError, match="codec xyz, not abc"):
        Embedded([folder, tmp_path / "b"])


def test_what_is_no_shard_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no readable made_of.json in"):
        Embedded([tmp_path])
    claim(tmp_path, MADE_OF, torch.zeros(3, 7))
    with pytest.raises(UserError, match=r"no .tar shards in"):
        Embedded([tmp_path])


@pytest.mark.parametrize("keys", [["a", "a"], ["a.b"], ["a/b"], [""]])
def test_keys_that_would_be_read_as_others_are_refused(tmp_path, keys):
    from dataclasses import replace

    rows = [replace(example(n, pictured=False), key=key) for n, key in enumerate(keys)]
    with pytest.raises(UserError, match="bad or repeated key"):
        write_shard(tmp_path / "x.tar", rows)
    assert not list(tmp_path.iterdir())


def test_a_shard_is_never_written_over(tmp_path):
    shards(tmp_path, 2, pictured=True)
    with pytest.raises(MediaError, match="exists already"):
        write_shard(tmp_path / "part-000.tar", [example(0, pictured=True)])


def test_statistics_are_over_time_and_examples(tmp_path):
    read = Embedded([shards(tmp_path, 7, pictured=True)])
    rows = torch.cat([example(n, pictured=True).mean for n in range(7)])
    mean, std = statistics(read, 100)
    assert torch.allclose(mean, rows.mean(0), atol=1e-5)
    assert torch.allclose(std, rows.std(0), atol=1e-5)
    few, _ = statistics(read, 2)
    assert torch.allclose(
        few, torch.cat([example(n, pictured=True).mean for n in (0, 3, 6)]).mean(0), atol=1e-5
    )
