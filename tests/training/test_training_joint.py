"""MMAudio's lesson: what is hidden is the network's own empties, and a step is the same however it is shared out."""

import pytest
import torch
from joint_toys import FRAMES, PICTURES, ROWS, SIZES, example, network

from weft.generators.conditions import Conditions
from weft.generators.layers import Modulation
from weft.training.joint import Batch, JointConfig, JointLesson, begun, informed


def batch(numbers=range(6), pictured=3, *, first=0, total=6):
    rows = [example(n, pictured=n < pictured) for n in numbers]
    clip = [torch.zeros(PICTURES, 5) if r.clip is None else r.clip for r in rows]
    sync = [torch.zeros(ROWS, 4) if r.sync is None else r.sync for r in rows]
    return Batch(
        mean=torch.stack([r.mean for r in rows]),
        std=torch.stack([r.std for r in rows]),
        text=torch.stack([r.text for r in rows]),
        clip=torch.stack(clip),
        sync=torch.stack(sync),
        pictured=torch.tensor([r.clip is not None for r in rows]),
        first=first,
        total=total,
    ).to_dict()


def losses(given, config=None, seed=3, net=None):
    lesson = JointLesson(net or network(), config or JointConfig())
    return lesson(given, torch.Generator().manual_seed(seed))


NEVER = JointConfig(hide_pictures=0.0, hide_text=0.0)
ALWAYS = JointConfig(hide_pictures=1.0, hide_text=1.0)


def test_loss_is_the_error_of_the_velocity():
    """By hand: x1 from the posterior, normalised; t the sigmoid of a normal; target x1 - x0 (data less noise)."""
    given, net, config = (
        batch(),
        network(),
        JointConfig(hide_pictures=0.0, hide_text=0.0, time_mean=0.3, time_scale=2.0),
    )
    informed(net, torch.arange(6.0), torch.full((6,), 2.0), torch.zeros(3, 7))
    found = losses(given, config, net=net)
    drawn = torch.Generator().manual_seed(3)
    x1 = given["mean"] + given["std"] * torch.randn(6, FRAMES, 6, generator=drawn)
    x1 = (x1 - torch.arange(6.0)) / 2
    t = 1 / (1 + torch.exp(-(0.3 + 2.0 * torch.randn(6, generator=drawn))))
    x0 = torch.randn(6, FRAMES, 6, generator=drawn)
    seen = given["pictured"]
    told = Conditions(
        clip=given["clip"], sync=given["sync"], text=given["text"], clip_given=seen, sync_given=seen
    )
    out = net((1 - t)[:, None, None] * x0 + t[:, None, None] * x1, t, told)
    each = (out - (x1 - x0)).square().mean((1, 2))
    assert float(found["loss"].detach()) == pytest.approx(float(each.detach().mean()), rel=1e-5)
    assert float(found["pictured"]) == pytest.approx(float(each[:3].detach().mean()), rel=1e-5)
    assert float(found["heard"]) == pytest.approx(float(each[3:].detach().mean()), rel=1e-5)


def test_what_stands_where_there_are_no_pictures_is_never_looked_at():
    given = batch()
    other = dict(given, clip=given["clip"].clone(), sync=given["sync"].clone())
    other["clip"][3:], other["sync"][3:] = 99.0, -99.0
    assert torch.equal(losses(given, NEVER)["loss"], losses(other, NEVER)["loss"])
    other["clip"][0] += 1
    assert not torch.equal(losses(given, NEVER)["loss"], losses(other, NEVER)["loss"])


def test_hidden_is_as_if_never_given_to_the_bit_of_the_null():
    """In training an item's condition is replaced, in generating none is given: the same tensors either way."""
    net, given = network(), batch(pictured=6)
    nothing = torch.zeros(6, dtype=torch.bool)
    hidden = Conditions(
        clip=given["clip"],
        sync=given["sync"],
        text=given["text"],
        clip_given=nothing,
        sync_given=nothing,
        text_given=nothing,
    )
    absent = Conditions(clip_tokens=PICTURES, sync_tokens=ROWS)
    x, t = torch.randn(6, FRAMES, 6), torch.rand(6)
    assert torch.allclose(net(x, t, hidden), net(x, t, absent), atol=1e-6)
    assert not torch.allclose(
        net(x, t, hidden), net(x, t, Conditions(text=given["text"], clip_tokens=PICTURES))
    )


def test_the_empties_learn_and_the_text_encoders_answer_stays():
    net = network()
    losses(batch(), ALWAYS, net=net)["loss"].backward()
    assert net.empty_clip_feat.grad.abs().sum() > 0
    assert net.empty_sync_feat.grad.abs().sum() > 0
    assert net.empty_string_feat.grad is None and not net.empty_string_feat.requires_grad


def test_hiding_happens_as_often_as_asked_and_by_chances_of_its_own():
    told, seen = [], []

    class Spy(torch.nn.Module):
        def normalised(self, x):
            return x

        def forward(self, x, t, conditions):
            told.append(conditions.text_given)
            seen.append(conditions.clip_given)
            assert torch.equal(conditions.clip_given, conditions.sync_given)
            return x

    n = 4000
    given = {"mean": torch.zeros(n, 1, 1), "std": torch.zeros(n, 1, 1), "text": torch.zeros(n, 1, 1)}
    given |= {"clip": torch.zeros(n, 1, 1), "sync": torch.zeros(n, 1, 1), "pictured": torch.arange(n) < 2000}
    lesson = JointLesson(Spy(), JointConfig(hide_pictures=0.1, hide_text=0.3))
    lesson(given | {"first": 0, "total": n}, torch.Generator().manual_seed(0))
    assert 1 - told[0].float().mean() == pytest.approx(0.3, abs=0.025)
    assert 1 - seen[0][:2000].float().mean() == pytest.approx(0.1, abs=0.025)
    assert not seen[0][2000:].any()
    both = (~told[0][:2000] & ~seen[0][:2000]).float().mean()
    assert both == pytest.approx(0.03, abs=0.012)


def test_times_are_logit_normal():
    times = []

    class Spy(torch.nn.Module):
        def normalised(self, x):
            return x

        def forward(self, x, t, conditions):
            times.append(t)
            return x

    n = 4000
    zero = torch.zeros(n, 1, 1)
    given = {"mean": zero, "std": zero, "text": zero, "clip": zero, "sync": zero}
    given |= {"pictured": torch.ones(n, dtype=torch.bool), "first": 0, "total": n}
    JointLesson(Spy(), JointConfig())(given, torch.Generator().manual_seed(0))
    JointLesson(Spy(), JointConfig(time_mean=1.0, time_scale=0.5))(given, torch.Generator().manual_seed(0))
    for t, mean, scale in zip(times, (0.0, 1.0), (1.0, 0.5), strict=True):
        assert torch.logit(t).mean() == pytest.approx(mean, abs=0.06)
        assert torch.logit(t).std() == pytest.approx(scale, abs=0.04)


def test_a_step_is_the_same_in_shares():
    whole = losses(batch())["loss"]
    parts = [losses(batch(range(f, f + 3), first=f))["loss"] for f in (0, 3)]
    assert torch.allclose(whole, sum(parts) / 2, rtol=1e-5)


def test_a_network_begins_as_the_published_code_has_it():
    net = begun(network(), torch.Generator().manual_seed(5))
    again = begun(network(1), torch.Generator().manual_seed(5))
    timed = net.t_embed.mlp[0].weight.detach()
    assert timed.std() == pytest.approx(0.02, rel=0.1)
    bound = (6 / (32 + 96)) ** 0.5
    qkv = net.joint_blocks[0].latent_block.attn.qkv.requires_grad_(False)
    assert qkv.weight.abs().max() == pytest.approx(bound, rel=0.02) and not qkv.bias.any()
    assert torch.equal(qkv.weight, again.joint_blocks[0].latent_block.attn.qkv.weight)
    fresh = begun(type(net)(SIZES), torch.Generator().manual_seed(5))
    assert not fresh.final_layer.conv.weight.any()
    assert all(not m[-1].weight.any() for m in fresh.modules() if isinstance(m, Modulation))


def test_the_network_keeps_what_it_is_told_of_its_data():
    net = informed(network(), torch.arange(6.0), torch.full((6,), 2.0), torch.full((3, 7), 0.5))
    assert torch.equal(net.normalised(torch.arange(6.0)[None, None]), torch.zeros(1, 1, 6))
    assert (net.empty_string_feat == 0.5).all()
    with pytest.raises(ValueError, match="never changes"):
        informed(network(), torch.zeros(6), torch.zeros(6), torch.zeros(3, 7))
    with pytest.raises(ValueError, match="empty_string_feat has shape"):
        informed(network(), torch.zeros(6), torch.ones(6), torch.zeros(4, 7))
