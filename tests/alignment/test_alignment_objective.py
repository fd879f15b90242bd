"""What guidance lowers: its values, its gradients along every link of the chain, and that none of them is ever NaN."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from weft.alignment.objective import Crop, Together
from weft.alignment.volume import volume
from weft.codecs.stft_vae import StftVae
from weft.diffusion.step_rules import slope_of
from weft.encoders.log_mel import log_mel
from weft.encoders.own import WeftAudio


def _draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _same(x: Tensor) -> Tensor:
    return x


def test_losses_are_the_papers() -> None:
    text, picture, sound = _draw(3, 4, 16)
    unit = [F.normalize(x, dim=-1) for x in (text, picture, sound)]
    score = Together(_same, text, picture)(sound, 0)
    torch.testing.assert_close(score.loss, volume(text, picture, sound))
    pairs = {"text_audio": (0, 2), "video_audio": (1, 2), "text_video": (0, 1)}
    for name, (a, b) in pairs.items():
        torch.testing.assert_close(score.readings[name], 1 - (unit[a] * unit[b]).sum(-1))
    found = Together(_same, text, picture, loss="pairwise")(sound, 0)
    torch.testing.assert_close(found.loss, score.readings["text_audio"] + score.readings["video_audio"])
    torch.testing.assert_close(found.readings["volume"], score.loss)
    signed = Together(_same, text, picture, cosine=0.5)(sound, 0).loss
    torch.testing.assert_close(signed, score.loss + 0.25 * found.loss)


def test_fixed_vectors_of_the_batch_or_of_each_item() -> None:
    text, picture, sound = _draw(16), _draw(16, seed=1), _draw(5, 16, seed=2)
    one = Together(_same, text, picture)(sound, 0)
    each = Together(_same, text.expand(5, -1), picture.expand(5, -1))(sound, 0)
    torch.testing.assert_close(one.loss, each.loss)
    assert {v.shape for v in one.readings.values()} == {torch.Size([5])}
    assert not any(v.requires_grad for v in one.readings.values())


@pytest.mark.parametrize("loss", ["volume", "pairwise"])
def test_no_nan_over_1000_starts_in_the_span_included(loss) -> None:
    """float32, as in guidance: random sounds, the picture's own vector, its opposite, and all of the plane."""
    text, picture = _draw(32).float(), _draw(32, seed=1).float()
    starts = _draw(1000, 32, seed=2).float()
    starts[:250] = _draw(250, 2, seed=3).float() @ torch.stack([text, picture])
    starts[250], starts[251], starts[252], starts[253] = picture, -picture, text, text - picture
    starts[254:500] = picture + 10 ** -_draw(246, 1, seed=4).abs().mul(4).float() * starts[254:500]
    found, slope = slope_of(starts, lambda x: Together(_same, text, picture, loss=loss)(x, 0).loss)
    assert bool(torch.isfinite(found).all())
    assert bool(torch.isfinite(slope).all())
    with torch.enable_grad():  # and without the rules' guard
        leaf = starts.clone().requires_grad_()
        Together(_same, text, picture, loss=loss)(leaf, 0).loss.sum().backward()
    assert bool(torch.isfinite(leaf.grad).all())
    # A sound along the text: its distance to the text is least, to the plane as well.
    assert float(found[252]) < 1e-6 if loss == "volume" else float(found[252]) < float(found[600])


@pytest.fixture(scope="module")
def chain() -> tuple[StftVae, WeftAudio]:
    codec, ear = StftVae.load().double(), WeftAudio.load()
    ear.net.double().requires_grad_(False)
    return codec, ear


def assert_slopes_agree(value, x: Tensor, *, within: float, step: float = 1e-6) -> None:
    """The gradient along three directions against central differences."""
    _, slope = slope_of(x, value)
    assert float(slope.abs().max()) > 0
    for seed in range(3):
        way = F.normalize(_draw(*x.shape, seed=10 + seed).flatten(1), dim=1).reshape(x.shape)
        with torch.no_grad():
            rise = (value(x + step * way) - value(x - step * way)) / (2 * step)
        along = (slope * way).flatten(1).sum(1)
        torch.testing.assert_close(along, rise, rtol=within, atol=within * float(slope.norm()))


def test_gradients_agree_with_differences_through_the_decoder(chain: tuple[StftVae, WeftAudio]) -> None:
    mix = _draw(1, 2, 6 * 1024, seed=5)
    assert_slopes_agree(lambda z: (chain[0].decode(z) * mix).flatten(1).sum(1), _draw(1, 6, 64), within=1e-6)


def test_gradients_agree_with_differences_through_the_ear(chain: tuple[StftVae, WeftAudio]) -> None:
    wave = 0.1 * _draw(1, 12 * 8 * 441)
    mix = _draw(1, 96, 64, seed=5)
    assert_slopes_agree(lambda x: (log_mel(x) * mix).flatten(1).sum(1), wave, within=1e-6)
    assert_slopes_agree(lambda x: (chain[1].felt(x)[:, 0] * _draw(128, seed=6)).sum(1), wave, within=1e-5)


@pytest.mark.parametrize("loss", ["volume", "pairwise"])
def test_gradients_agree_with_differences_along_the_whole_chain(chain, loss) -> None:
    codec, ear = chain

    def embed(latent: Tensor) -> Tensor:
        return ear.felt(codec.decode(latent).mean(1)).mean(1)

    objective = Together(embed, _draw(128, seed=7), _draw(128, seed=8), loss=loss)
    assert_slopes_agree(lambda z: objective(z, 0).loss, _draw(2, 42, 64), within=1e-5)


def test_checkpointing_keeps_nothing_and_gives_the_same_gradient() -> None:
    kept: list[int] = []
    weight = _draw(64, 64)

    def embed(x: Tensor) -> Tensor:
        for _ in range(5):
            x = torch.tanh(x @ weight)
        return x

    def run(checkpoint: bool) -> Tensor:
        objective = Together(embed, _draw(64, seed=1), _draw(64, seed=2), checkpoint=checkpoint)
        kept.append(0)

        def keep(t: Tensor) -> Tensor:
            kept[-1] += t.shape == (300, 64)
            return t

        leaf = _draw(300, 64).requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
            loss = objective(leaf, 0).loss.sum()
        loss.backward()
        return leaf.grad

    torch.testing.assert_close(run(True), run(False))
    assert kept[0] == kept[1] - 4  # what goes in, in place of five layers


def test_a_crop_is_named_by_seed_and_step() -> None:
    x, crop = torch.arange(100.0).reshape(1, 100, 1), Crop(frames=10, seed=4)
    places = [float(crop(x, step)[0, 0, 0]) for step in range(40)]
    assert places == [float(crop(x, step)[0, 0, 0]) for step in range(40)]
    assert len(set(places)) > 20 and max(places) <= 90
    assert places != [float(Crop(frames=10, seed=5)(x, step)[0, 0, 0]) for step in range(40)]
    assert crop(x[:, :7], 0).shape == (1, 7, 1)
    assert Crop(frames=3, axis=2)(torch.zeros(2, 8, 9, 4), 1).shape == (2, 8, 3, 4)
    sound = _draw(1, 8, 1)
    text, picture = _draw(8, seed=1), _draw(8, seed=2)

    def embed(z: Tensor) -> Tensor:
        return F.pad(z[..., 0], (0, 8 - z.shape[1]))

    cropped = Together(embed, text, picture, crop=Crop(frames=4))
    whole = Together(embed, text, picture)
    assert float(cropped(sound, 1).loss) != float(whole(sound, 1).loss)
    assert float(cropped(sound, -1).loss) == float(whole(sound, -1).loss)


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="no guidance by 'area': choose volume or pairwise"):
        Together(_same, _draw(4), _draw(4), loss="area")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the picture's embedding has no direction"):
        Together(_same, _draw(4), torch.zeros(4))
    with pytest.raises(ValueError, match="the text's embedding has no direction"):
        Together(_same, torch.full((4,), torch.nan), _draw(4))
