"""What weft-mini learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from weft.codecs.stft_vae import StftVae, StftVaeConfig
from weft.cues.controls import CHANNELS, WIDTH
from weft.diffusion.process import RectifiedFlow
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.generators.reference import SPANS, reference_tokens
from weft.training.generator import (
    FRAME_RATE,
    Clips,
    Drops,
    batch_of,
    coarsened,
    encode_sounds,
    examples,
    flow_loss,
    load_clips,
    write_sounds,
)

NEVER = Drops(
    everything=0,
    text=0,
    picture=0,
    reference=0,
    onsets=0,
    pan=0,
    depth=0,
    material=0,
    soft_material=0,
    action=0,
    envelope=0,
    coarse=0,
    foreign=0,
)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Two families of two voices, rendered and encoded."""
    folder: Path = tmp_path_factory.mktemp("clips")
    torch.manual_seed(0)
    sizes = {k: (16, 1) for k in ("encoder_fine", "encoder_deep", "decoder_deep", "decoder_fine")}
    codec = StftVae(StftVaeConfig(latent=8, **sizes)).eval()
    assert write_sounds(examples(0, range(2), duration=1.5, voices=2), folder / "sounds-0.npz") == 4
    assert encode_sounds(codec.encode, folder / "sounds-0.npz", folder / "clips-0.npz") == 4
    return load_clips([folder / "clips-0.npz"])


def _words(texts: list[str]) -> torch.Tensor:
    return torch.ones(len(texts), 4, 6)


def _batch(clips: Clips, drops: Drops, size: int = 64, seed: int = 0) -> dict[str, torch.Tensor]:
    return batch_of(clips, _words, size, 40, drops, np.random.default_rng(seed))


def test_generator_clips_hold_what_was_rendered(clips: Clips) -> None:
    frames = int(np.ceil(1.5 * FRAME_RATE))
    assert clips.latent.shape == (4, frames, 8)
    assert clips.controls.shape == (4, frames, WIDTH)
    assert clips.family.tolist() == [0, 0, 1, 1]
    assert all(len(texts) > 1 for texts in clips.captions)
    same = clips.controls[0, :, CHANNELS["onset"]] == clips.controls[1, :, CHANNELS["onset"]]
    assert same.all()
    assert (clips.controls[0, :, CHANNELS["material"]] != clips.controls[1, :, CHANNELS["material"]]).any()


def test_generator_family_is_a_function_of_its_number() -> None:
    one = [e.audio for e in examples(5, range(3, 4), duration=1.0, voices=2)]
    two = [e.audio for e in examples(5, range(2, 4), duration=1.0, voices=2)][2:]
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_generator_batch_without_drops_tells_everything(clips: Clips) -> None:
    batch = _batch(clips, NEVER)
    for name in ("when_known", "pan_known", "envelope_known"):
        assert float(batch["sync"][..., CHANNELS[name]].min()) == 1
    assert batch["sync_given"].all()
    assert batch["text_given"].all()


def test_generator_drops_hide_their_own_dial_only(clips: Clips) -> None:
    full = _batch(clips, NEVER)["sync"]
    for name, drops in (
        ("pan", Drops(**{**NEVER.__dict__, "pan": 1.0})),
        ("depth", Drops(**{**NEVER.__dict__, "depth": 1.0})),
        ("envelope", Drops(**{**NEVER.__dict__, "envelope": 1.0})),
    ):
        hidden = _batch(clips, drops)["sync"]
        assert not hidden[..., CHANNELS[name]].any()
        assert not hidden[..., CHANNELS[f"{name}_known"]].any()
        rest = [c for key, s in CHANNELS.items() if not key.startswith(name) for c in range(s.start, s.stop)]
        torch.testing.assert_close(hidden[..., rest], full[..., rest])


def test_generator_foreign_envelope_keeps_the_true_material(clips: Clips) -> None:
    full = _batch(clips, NEVER)["sync"]
    lied = _batch(clips, Drops(**{**NEVER.__dict__, "foreign": 1.0}))["sync"]
    torch.testing.assert_close(lied[..., CHANNELS["material"]], full[..., CHANNELS["material"]])
    changed = (lied[..., CHANNELS["envelope"]] != full[..., CHANNELS["envelope"]]).flatten(1).any(1)
    assert 0.2 < float(changed.float().mean()) < 0.95


def test_generator_coarse_envelopes_stay_levels() -> None:
    rng = np.random.default_rng(0)
    halves = np.clip(rng.normal(0.5, 0.2, (60, 2)), 0, 1).astype(np.float32)
    for _ in range(20):
        vague = coarsened(halves, rng)
        assert vague.shape == halves.shape
        assert vague.dtype == np.float32
        assert 0 <= vague.min() <= vague.max() <= 1.2
        assert np.abs(vague - halves).max() > 0.01


def test_generator_reference_tokens_forget_the_timing() -> None:
    sound = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    early, late = torch.zeros(100, 3), torch.zeros(100, 3)
    early[5:25], late[31:51] = sound, sound
    level_early, level_late = torch.zeros(100), torch.zeros(100)
    level_early[6], level_late[32] = 1, 1
    one, two = reference_tokens(early, level_early), reference_tokens(late, level_late)
    torch.testing.assert_close(one, two)
    assert one.shape == (len(SPANS), 3)
    assert torch.isfinite(reference_tokens(sound[:1], torch.ones(1))).all()


def test_generator_learns_a_little(clips: Clips) -> None:
    torch.manual_seed(0)
    net = MMDiT(
        MMDiTConfig(
            latent_dim=8,
            hidden=32,
            heads=2,
            joint=1,
            fused=1,
            clip_dim=17,
            sync_dim=WIDTH,
            text_dim=6,
            text_length=4,
            sync_segment=0,
            mlp_ratio=1.0,
            mlp_multiple=16,
            reference_dim=8,
            frames_in_final=True,
            frames_at_input=True,
        )
    )
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    losses = []
    for step in range(40):
        draw = torch.Generator().manual_seed(step)
        loss = flow_loss(net, RectifiedFlow(), _batch(clips, Drops(), 8, step), draw)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:4])
