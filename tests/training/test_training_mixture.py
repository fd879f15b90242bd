"""The mixture of examples: every one as often as it should come, and the same whoever asks."""

from collections import Counter

import pytest
import torch
from joint_toys import example, shards

from weft.errors import UserError
from weft.training.embedded import Embedded
from weft.training.mixture import Ahead, Mixture


@pytest.fixture
def data(tmp_path):
    films = Embedded([shards(tmp_path / "films", 4, pictured=True)])
    sounds = Embedded([shards(tmp_path / "sounds", 9, pictured=False)])
    return films, sounds


def test_an_epoch_has_films_repeated_and_sounds_once(data):
    mixture = Mixture(*data, batch=3, repeat=3)
    assert mixture.steps == (3 * 4 + 9) // 3
    seen = Counter(int(n) for step in range(mixture.steps) for n in mixture.picks(step))
    assert seen == Counter(range(3 * 4 + 9))
    films = Counter(n % 4 for n in seen if n < 12)
    assert set(films.values()) == {3}


def test_epochs_are_shuffled_apart_and_seeds_too(data):
    mixture = Mixture(*data, batch=21, repeat=3)
    first, second = mixture.picks(0).tolist(), mixture.picks(1).tolist()
    assert sorted(first) == sorted(second) and first != second
    assert mixture.picks(0).tolist() == first
    assert Mixture(*data, batch=21, repeat=3, seed=1).picks(0).tolist() != first


def test_a_batch_holds_what_was_picked(data):
    mixture = Mixture(*data, batch=7, repeat=3)
    found = mixture.at(1)
    for row, number in enumerate(mixture.picks(1)):
        seen = number < 12
        own = example(int(number % 4 if seen else number - 12), pictured=bool(seen))
        assert bool(found["pictured"][row]) == seen
        assert torch.equal(found["mean"][row], own.mean)
        assert torch.equal(found["text"][row], own.text)
        if seen:
            assert torch.equal(found["clip"][row], own.clip)
            assert torch.equal(found["sync"][row], own.sync)


def test_processes_share_a_batch_in_order(data):
    whole = Mixture(*data, batch=6, repeat=2).at(2)
    parts = [Mixture(*data, batch=6, repeat=2, rank=r, processes=2).at(2) for r in range(2)]
    assert [p["first"] for p in parts] == [0, 3] and all(p["total"] == 6 for p in parts)
    for name in ("mean", "text", "clip", "pictured"):
        assert torch.equal(torch.cat([p[name] for p in parts]), whole[name])


def test_one_kind_alone_does(data):
    films, sounds = data
    assert Mixture(films, None, batch=4).at(0)["pictured"].all()
    alone = Mixture(None, sounds, batch=4).at(0)
    assert not alone["pictured"].any() and alone["clip"].shape == (4, 3, 5)


def test_what_cannot_be_shared_is_said(data):
    with pytest.raises(UserError, match="a batch of 5 cannot be shared alike by 2 processes"):
        Mixture(*data, batch=5, processes=2)
    with pytest.raises(UserError, match="13 examples make no batch of 64"):
        Mixture(*data, batch=64, repeat=1)
    with pytest.raises(UserError, match="repeated 0 times"):
        Mixture(*data, batch=2, repeat=0)


def test_reading_ahead_changes_nothing(data):
    mixture = Mixture(*data, batch=3, repeat=3)
    ahead = Ahead(Mixture(*data, batch=3, repeat=3), depth=5, threads=3)
    for step in (*range(20), 40, 41):  # over the turns of epochs, and with a jump
        one, other = ahead.at(step), mixture.at(step)
        assert all(torch.equal(one[k], other[k]) for k in ("mean", "clip", "pictured"))
    ahead.close()
