"""The sampler's short cuts against the plain path, and what must not change from one run to another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import mmaudio_parity as parity
import pytest
import torch
from mmaudio_parity import TINY_V1, TINY_V2

from weft.diffusion.guidance import ClassifierFree, guided
from weft.diffusion.process import RectifiedFlow
from weft.diffusion.sampler import frame_noise, sample
from weft.generators.conditions import Conditions, Prepared, joined
from weft.generators.mmaudio import VARIANTS, Variant
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.generators.sampling import guided_velocity, latents

CFG = ClassifierFree(scale=4.5)
SMALL = {
    "v1": Variant(config=TINY_V1, rate_hz=16000, hop=512),
    "v2": Variant(config=TINY_V2, rate_hz=44100, hop=1024),
}


@pytest.fixture(scope="module", params=SMALL)
def variant(request: pytest.FixtureRequest) -> Variant:
    return SMALL[request.param]


@pytest.fixture(scope="module")
def net(variant: Variant) -> MMDiT:
    return parity.net_of(variant.config)


def _told(variant: Variant, seconds: float, **named: Any) -> dict[str, Conditions]:
    lengths, config = variant.lengths(seconds, **named), variant.config
    given = lengths.conditions(
        clip=parity.drawn("in.clip", 1, lengths.clip, config.clip_dim) / 32,
        sync=parity.drawn("in.sync", 1, lengths.sync, config.sync_dim),
        text=parity.drawn("in.text", 1, 77, config.text_dim) / 32,
    )
    return {
        "cond": given,
        "uncond": lengths.conditions(text=parity.drawn("in.negative", 1, 77, config.text_dim) / 32),
    }


def _noise(variant: Variant, seconds: float, item: int = 0) -> torch.Tensor:
    return frame_noise(3, item, 0, variant.lengths(seconds).latent, variant.config.latent_dim)[None]


def _dense(prepared: Prepared) -> Prepared:
    return replace(prepared, frames=prepared.frames.dense())


def _assert_close(found: torch.Tensor, wanted: torch.Tensor, within: float = 1e-4) -> None:
    """No further apart than a share of the root mean square."""
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max() / wanted.square().mean().sqrt()) < within


@torch.no_grad()
def test_sampling_equals_the_plain_path(variant: Variant, net: MMDiT) -> None:
    """Plain: conditions projected at every step, a pass for each prediction, every time embedded when it comes."""
    told, noise = _told(variant, 2.0), _noise(variant, 2.0)
    plain = guided(CFG, {name: lambda z, t, c=told[name]: net(z, t, c) for name in told})
    _assert_close(latents(net, noise, told, CFG, 10), sample(plain, RectifiedFlow(), noise, 10))


@torch.no_grad()
def test_sampling_in_one_batch_is_two_passes(variant: Variant, net: MMDiT) -> None:
    told, z, t = _told(variant, 2.0), _noise(variant, 2.0), torch.tensor([0.4])
    prepared = {name: net.prepare(c, 1, z.shape[1]) for name, c in told.items()}
    apart = guided(CFG, {name: lambda z, t, p=p: net.velocity(z, t, p) for name, p in prepared.items()})
    _assert_close(guided_velocity(net, prepared, CFG)(z, t), apart(z, t))


@torch.no_grad()
def test_sampling_with_times_embedded_before_is_with_times_embedded_when_they_come(
    variant: Variant, net: MMDiT
) -> None:
    told, z = _told(variant, 1.0), torch.cat([_noise(variant, 1.0), _noise(variant, 1.0, item=1)])
    prepared = {name: joined([net.prepare(c, 1, z.shape[1])] * 2) for name, c in told.items()}
    times = RectifiedFlow().timesteps(25)
    before, when = guided_velocity(net, prepared, CFG, times), guided_velocity(net, prepared, CFG)
    for t in (*times[[0, 7, 24]], torch.tensor(0.123)):
        _assert_close(before(z, t.expand(2)), when(z, t.expand(2)))
    mixed = torch.tensor([float(times[7]), 0.9])  # each item its own time: nothing to look up
    _assert_close(
        before(z, mixed),
        torch.cat(
            [
                when(z[:1].expand(2, -1, -1), times[7].expand(2))[:1],
                when(z[1:].expand(2, -1, -1), torch.full((2,), 0.9))[1:],
            ]
        ),
    )


@pytest.mark.parametrize("compat", [False, True])
@torch.no_grad()
def test_sampling_with_a_row_kept_once_is_with_a_row_for_each_frame(
    variant: Variant, net: MMDiT, compat: bool
) -> None:
    told, z, t = _told(variant, 3.3, compat=compat), _noise(variant, 3.3), torch.tensor([0.4])
    for conditions in told.values():
        prepared = net.prepare(conditions, 1, z.shape[1])
        assert prepared.frames.place is not None
        assert len(prepared.frames.rows) < z.shape[1]
        _assert_close(net.velocity(z, t, prepared), net.velocity(z, t, _dense(prepared)))


@pytest.mark.parametrize("seconds", [0.3, 0.64, 1.0, 1.3, 3.3, 8.0])
@torch.no_grad()
def test_sampling_with_a_null_of_three_segments_is_with_the_whole_null(
    variant: Variant, net: MMDiT, seconds: float
) -> None:
    lengths = variant.lengths(seconds)
    short = net.prepare(lengths.conditions(), 1, lengths.latent).frames
    spelled = net.empty_sync_feat.expand(1, lengths.sync, -1)
    whole = net.prepare(lengths.conditions(sync=spelled), 1, lengths.latent).frames
    assert len(short.rows) == 1 or len(short.rows) <= 24
    _assert_close(short.dense().rows, whole.dense().rows, within=1e-5)


@torch.no_grad()
def test_sampling_defect_d9_an_item_has_its_noise_and_its_sound_whatever_is_beside_it(
    variant: Variant, net: MMDiT
) -> None:
    """The reference draws one block of noise for the batch, on the device and in its type."""
    told = _told(variant, 1.0)
    noise = torch.cat([_noise(variant, 1.0, item=item) for item in range(3)])
    assert noise.dtype == torch.float32
    assert noise.device.type == "cpu"
    together = latents(net, noise, told, CFG, 5)
    for item in range(3):
        alone = latents(net, _noise(variant, 1.0, item=item), told, CFG, 5)
        _assert_close(together[item : item + 1], alone)
    assert (together[0] - together[1]).abs().max() > 0.1


@torch.no_grad()
def test_sampling_conditions_of_several_items_stay_with_their_items(variant: Variant, net: MMDiT) -> None:
    told, noise = _told(variant, 1.0), torch.cat([_noise(variant, 1.0)] * 2)
    given = told["cond"]
    two = replace(
        given,
        **{
            name: torch.cat([value, value.flip(1)])
            for name in ("clip", "sync", "text")
            if (value := getattr(given, name)) is not None
        },
    )
    together = latents(net, noise, {"cond": two, "uncond": told["uncond"]}, CFG, 3)
    for item in range(2):
        parts = {name: getattr(two, name)[item : item + 1] for name in ("clip", "sync", "text")}
        alone = latents(net, noise[:1], {**told, "cond": replace(given, **parts)}, CFG, 3)
        _assert_close(together[item : item + 1], alone)
    assert (together[0] - together[1]).abs().max() > 0.01


@torch.no_grad()
def test_sampling_without_guidance_asks_for_no_null(variant: Variant, net: MMDiT) -> None:
    told, noise = _told(variant, 1.0), _noise(variant, 1.0)
    plain = sample(lambda z, t: net(z, t, told["cond"]), RectifiedFlow(), noise, 4)
    _assert_close(latents(net, noise, {"cond": told["cond"]}, ClassifierFree(), 4), plain)
    with pytest.raises(KeyError, match="uncond"):
        latents(net, noise, {"cond": told["cond"]}, CFG, 4)
    for steps in (0, -1):
        with pytest.raises(ValueError, match=f"{steps} sampler steps; give 1 or more"):
            latents(net, noise, told, CFG, steps)


@torch.no_grad()
def test_sampling_hears_each_condition_and_goes_without_it(variant: Variant, net: MMDiT) -> None:
    told, noise = _told(variant, 1.0), _noise(variant, 1.0)
    whole = latents(net, noise, told, CFG, 3)
    for name in ("clip", "sync", "text"):
        missing = latents(net, noise, {**told, "cond": replace(told["cond"], **{name: None})}, CFG, 3)
        assert torch.isfinite(missing).all()
        assert (missing - whole).abs().max() > 1e-3, name
    negative = replace(told["uncond"], text=None)
    assert (latents(net, noise, {**told, "uncond": negative}, CFG, 3) - whole).abs().max() > 1e-3


@torch.no_grad()
def test_sampling_of_nulls_of_another_length_takes_two_passes(variant: Variant, net: MMDiT) -> None:
    told, noise = _told(variant, 1.0), _noise(variant, 1.0)
    told["uncond"] = replace(told["uncond"], clip_tokens=3)
    plain = guided(CFG, {name: lambda z, t, c=told[name]: net(z, t, c) for name in told})
    _assert_close(latents(net, noise, told, CFG, 3), sample(plain, RectifiedFlow(), noise, 3))
    prepared = [net.prepare(c, 1, noise.shape[1]) for c in told.values()]
    with pytest.raises(ValueError, match="give the nulls as many"):
        joined(prepared)


@torch.no_grad()
def test_sampling_defect_d8_two_threads_of_different_durations_give_what_each_gives_alone(
    variant: Variant, net: MMDiT
) -> None:
    """Bit for bit: the reference keeps the lengths and the rotations in the network and in a global."""
    seconds = (0.7, 2.1, 1.3, 3.3)

    def play(duration: float) -> torch.Tensor:
        return latents(net, _noise(variant, duration), _told(variant, duration), CFG, 6)

    alone = [play(duration) for duration in seconds]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            for found, wanted in zip(pool.map(play, seconds), alone, strict=True):
                assert torch.equal(found, wanted)


def test_sampling_leaves_the_network_as_it_was(variant: Variant, net: MMDiT) -> None:
    before = {key: value.clone() for key, value in net.state_dict().items()}
    held = set(vars(net)) | {name for name, _ in net.named_buffers()}
    latents(net, _noise(variant, 1.0), _told(variant, 1.0), CFG, 2)
    assert set(vars(net)) | {name for name, _ in net.named_buffers()} == held
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@torch.no_grad()
def test_sampling_in_windows_of_a_long_clip_is_finite(variant: Variant, net: MMDiT) -> None:
    config: MMDiTConfig = variant.config
    for seconds in (0.1, 12.0):
        noise = _noise(variant, seconds)
        out = latents(net, noise, _told(variant, seconds), CFG, 1)
        assert out.shape == (1, variant.lengths(seconds).latent, config.latent_dim)
        assert torch.isfinite(out).all()
    assert VARIANTS["small_16k"].lengths(12.0).latent == 375


@torch.no_grad()
def test_guidance_since_a_time_is_the_plain_path_before_it(variant: Variant, net: MMDiT) -> None:
    told, noise = _told(variant, 1.0), _noise(variant, 1.0)
    late = ClassifierFree(scale=4.5, since=0.5)

    def by_hand(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        cond = net(z, t, told["cond"])
        return cond if float(t[0]) < 0.5 else CFG({"cond": cond, "uncond": net(z, t, told["uncond"])})

    found = latents(net, noise, told, late, 4)
    _assert_close(found, sample(by_hand, RectifiedFlow(), noise, 4))
    assert (found - latents(net, noise, told, CFG, 4)).abs().max() > 0.01
