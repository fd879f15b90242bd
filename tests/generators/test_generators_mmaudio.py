"""MMAudio's sizes: the official keys, the reference's numbers, and the lengths of a clip's streams."""

from __future__ import annotations

import gc
from dataclasses import replace

import mmaudio_parity as parity
import pytest
import torch
from mmaudio_parity import FILE, GOLDEN, KEYS, TINY_V1, TINY_V2

from weft.diffusion.guidance import ClassifierFree
from weft.errors import WeightsError
from weft.generators.mmaudio import OLD_BUFFERS, VARIANTS, Lengths, network
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.generators.placement import tokens_of_frames
from weft.generators.sampling import latents

TINY = {"tiny_v1": TINY_V1, "tiny_v2": TINY_V2}
MILLIONS = {
    "small_16k": 157.283644,
    "small_44k": 157.409144,
    "medium_44k": 621.805944,
    "large_44k": 1030.002168,
    "large_44k_v2": 1030.575608,
}


@pytest.mark.parametrize("name", VARIANTS)
def test_mmaudio_has_the_official_keys_shapes_and_number_of_parameters(name: str) -> None:
    with torch.device("meta"):
        net = MMDiT(VARIANTS[name].config)
    assert {key: list(value.shape) for key, value in net.state_dict().items()} == KEYS[name]
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(MILLIONS[name], abs=1e-7)
    assert not dict(net.named_buffers())


def test_mmaudio_drops_the_tables_of_old_checkpoints_and_nothing_else() -> None:
    weights = parity.tensors(TINY_V1)
    net = network(TINY_V1, weights | {name: torch.zeros(3) for name in OLD_BUFFERS}, FILE)
    assert (
        net.fused_blocks[0].attn.qkv.weight.data_ptr() == weights["fused_blocks.0.attn.qkv.weight"].data_ptr()
    )
    with pytest.raises(
        WeightsError, match=r"drawn\.safetensors does not fit.*1 unexpected \['clip_rotation'\]"
    ):
        network(TINY_V1, weights | {"clip_rotation": torch.zeros(3)}, FILE)
    with pytest.raises(WeightsError, match=r"keys missing \['audio_input_proj.0.bias'"):
        network(TINY_V1, {k: v for k, v in weights.items() if not k.startswith("audio_input")}, FILE)
    with pytest.raises(WeightsError, match=r"clip_input_proj\.1\.w1\.weight"):
        network(TINY_V2, weights, FILE)  # v2's third layer is v1's second


def _errors(name: str, config: MMDiTConfig, frames: int, clip: int, sync: int) -> dict[str, float]:
    """How far the network alone and the whole sampler are from the reference's numbers."""
    golden, net = GOLDEN[name], parity.net_of(config)
    given, without = parity.told(config, clip, sync)
    noise, t = parity.noise_of(config, frames), torch.tensor([0.3])
    last = next(key for key in golden if key.startswith("latent_after"))
    steps = int(last.split("_")[2])
    with torch.no_grad():
        found = {
            "velocity_t0.3": net(noise, t, given),
            "velocity_t0.3_uncond": net(noise, t, without),
            last: latents(net, noise, {"cond": given, "uncond": without}, ClassifierFree(scale=4.5), steps),
        }
    del net
    gc.collect()
    errors = {key: parity.error(value, golden[key]) for key, value in found.items()}
    return errors


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize(("seconds", "lengths"), [("8s", (345, 64, 192)), ("3.3s", (143, 26, 72))])
def test_mmaudio_equals_the_reference_at_a_small_size(
    name: str, seconds: str, lengths: tuple[int, int, int]
) -> None:
    errors = _errors(f"{name}_{seconds}", TINY[name], *lengths)
    assert max(errors.values()) < 1e-4, errors


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small_16k", "small_44k", "large_44k_v2"])
def test_mmaudio_equals_the_reference(name: str) -> None:
    """The network alone and the sampler with guidance 4.5: 25 steps, 2 of the large one."""
    eight = VARIANTS[name].lengths(8.0)
    errors = _errors(name, VARIANTS[name].config, eight.latent, eight.clip, eight.sync)
    assert max(errors.values()) < 1e-4, errors


@pytest.mark.parametrize("name", TINY)
@torch.no_grad()
def test_mmaudio_without_anything_given_equals_the_reference(name: str) -> None:
    """No picture, no words: every null, the empty words' too."""
    config = TINY[name]
    lengths = Lengths(latent=143, clip=26, sync=72, sync_frames=80, samples=1)
    found = parity.net_of(config)(parity.noise_of(config, 143), torch.tensor([0.3]), lengths.conditions())
    assert parity.error(found, GOLDEN[f"{name}_3.3s"]["velocity_t0.3_nothing"]) < 1e-4


@torch.no_grad()
def test_mmaudio_final_layer_takes_the_global_condition_as_its_weights_expect() -> None:
    """The quirk (issue #55 of the reference): mended, the published weights no longer give their numbers."""
    mended = replace(TINY_V1, frames_in_final=True)
    assert _errors("tiny_v1_3.3s", TINY_V1, 143, 26, 72)["velocity_t0.3"] < 1e-4
    given, _ = parity.told(mended, 26, 72)
    found = parity.net_of(mended)(parity.noise_of(mended, 143), torch.tensor([0.3]), given)
    golden = GOLDEN["tiny_v1_3.3s"]["velocity_t0.3"]
    values = torch.tensor(golden["value"])
    assert float((found.flatten()[golden["index"]] - values).abs().max()) > 0.1


@pytest.mark.parametrize(
    ("name", "latent", "samples"), [("small_16k", 250, 128000), ("large_44k", 345, 345 * 1024)]
)
def test_mmaudio_lengths_at_eight_seconds_are_the_published(name: str, latent: int, samples: int) -> None:
    ours, theirs = VARIANTS[name].lengths(8.0), VARIANTS[name].lengths(8.0, compat=True)
    for one in (ours, theirs):
        assert (one.latent, one.clip, one.sync, one.sync_frames) == (latent, 64, 192, 200)
    assert theirs.samples == samples
    for tokens, pace in ((64, ours.clip_pace), (192, ours.sync_pace)):
        assert torch.equal(tokens_of_frames(tokens, latent, pace), tokens_of_frames(tokens, latent))


@pytest.mark.parametrize("name", ["small_16k", "small_44k"])
@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.64, 1.0, 3.3, 7.3, 31.0, 60.0])
def test_mmaudio_lengths_defect_d5_the_sound_is_as_long_as_the_picture(name: str, seconds: float) -> None:
    variant = VARIANTS[name]
    lengths = variant.lengths(seconds)
    assert lengths.samples == round(seconds * variant.rate_hz)
    assert 0 <= lengths.latent * variant.hop - lengths.samples < variant.hop
    if seconds >= 0.64:
        assert variant.lengths(seconds, compat=True).samples == lengths.latent * variant.hop


@pytest.mark.parametrize("seconds", [0.1, 0.64, 1.0, 3.3, 7.3, 8.0, 31.0])
def test_mmaudio_lengths_see_the_clip_to_its_end(seconds: float) -> None:
    """The reference leaves up to 7 pictures of the end unseen (0.28 s)."""
    lengths = VARIANTS["large_44k"].lengths(seconds)
    assert lengths.clip / 8 >= seconds - 1e-6 > (lengths.clip - 1) / 8
    assert lengths.sync_frames / 25 >= min(seconds, 8.0) - 1e-6


def test_mmaudio_lengths_defect_d8_a_clip_may_be_shorter_than_a_segment() -> None:
    assert VARIANTS["small_16k"].lengths(0.1).conditions().sync_tokens == 8
    with pytest.raises(ValueError, match=r"a clip of 0\.5 s; the reference needs 0\.64 s"):
        VARIANTS["small_16k"].lengths(0.5, compat=True)
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="give a duration above 0"):
            VARIANTS["small_16k"].lengths(wrong)


def test_mmaudio_conditions_must_be_as_long_as_the_clip() -> None:
    lengths = VARIANTS["small_16k"].lengths(2.0)
    with pytest.raises(ValueError, match="15 CLIP tokens; a clip of this length has 16"):
        lengths.conditions(clip=torch.zeros(1, 15, 1024))
    with pytest.raises(ValueError, match="40 Synchformer tokens; a clip of this length has 48"):
        lengths.conditions(sync=torch.zeros(1, 40, 768))
    one = lengths.conditions(clip=torch.ones(2, 1, 1024)).clip
    assert one is not None
    assert one.shape == (2, 16, 1024)


@torch.no_grad()
def test_mmaudio_in_bfloat16_keeps_the_latents_statistics() -> None:
    weights = parity.tensors(TINY_V1) | {"latent_mean": torch.full((1, 1, 6), 1.2345678)}
    weights["latent_std"] = torch.full((1, 1, 6), 3.456789)
    net = network(TINY_V1, weights, FILE, torch.bfloat16)
    assert net.t_embed.mlp[0].weight.dtype == torch.bfloat16
    x = torch.randn(1, 9, 6, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    torch.testing.assert_close(net.unnormalised(x), x * 3.456789 + 1.2345678, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(net.normalised(net.unnormalised(x)), x, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(x, before, atol=0, rtol=0)


@torch.no_grad()
def test_mmaudio_pictures_keep_their_places_on_the_time_axis_in_a_shorter_clip() -> None:
    """Aligned RoPE: picture k lies at k / 8 s. The reference spreads 26 pictures over 3.3 s, its compat too."""
    variant, net = VARIANTS["small_44k"], parity.net_of(TINY_V1)
    turns = {}
    for seconds, compat in ((8.0, False), (3.3, False), (3.3, True)):
        lengths = variant.lengths(seconds, compat=compat)
        turns[seconds, compat] = net.prepare(lengths.conditions(), 1, lengths.latent).clip_rotation
    assert turns[3.3, False].shape == (2, 27, 32)
    assert torch.equal(turns[3.3, False], turns[8.0, False][:, :27])
    assert not torch.allclose(turns[3.3, True], turns[8.0, False][:, :26], atol=1e-2)
