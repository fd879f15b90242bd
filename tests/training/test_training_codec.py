"""What the codec learns from: sounds without end, losses that vanish on the truth, a critic that learns apart."""

import numpy as np
import pytest
import torch

from weft.codecs.stft_vae import Spectrum, StftVae, StftVaeConfig
from weft.training.adversary import DecoderLesson, decoder_step
from weft.training.codec import CodecLossConfig, Pool, codec_step, heard_losses, measure, spectral_losses
from weft.training.sounds import SOURCES, training_sound

SMALL = StftVaeConfig(encoder_fine=(16, 1), encoder_deep=(24, 1), decoder_deep=(24, 1), decoder_fine=(16, 1))


def noise(samples: int = 24 * 1024, size: int = 2) -> torch.Tensor:
    return 0.1 * torch.randn(size, 2, samples, generator=torch.Generator().manual_seed(5))


def small_codec() -> StftVae:
    torch.manual_seed(2)
    return StftVae(SMALL)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_seed_is_a_sound_and_another_is_another(share):
    one, again, other = (training_sound(s, 1.0, physical_share=share) for s in (4, 4, 5))
    assert one.shape == (2, 44100) and one.dtype == np.float32
    assert np.isfinite(one).all() and np.abs(one).max() <= 1
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.parametrize("source", sorted(set(SOURCES), key=lambda f: f.__name__), ids=lambda f: f.__name__)
def test_every_source_sounds(source):
    levels = [np.abs(source(22050, np.random.default_rng(seed))).max() for seed in range(4)]
    assert np.isfinite(levels).all() and max(levels) > 0


def test_pool_batches_are_a_function_of_the_step(tmp_path):
    sounds = (np.random.default_rng(0).normal(size=(3, 2, 9000)) * 3000).astype(np.int16)
    np.save(tmp_path / "part-0.npy", sounds)
    pool = Pool(tmp_path)
    a, b, c = (pool.batch(step, size=4, samples=4096, seed=0) for step in (7, 7, 8))
    assert a.shape == (4, 2, 4096) and a.abs().max() < 1
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_empty_pool_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="render the pool first"):
        Pool(tmp_path)


def test_losses_vanish_on_the_truth():
    codec, audio = small_codec(), noise()
    spectrum = codec.stft(audio)
    unit = spectrum / spectrum.abs()
    true = Spectrum(
        level=torch.log(spectrum.abs() + codec.floor),
        phase=unit[:, 0],
        between=unit[:, 1] * unit[:, 0].conj(),
        loudness=codec.loudness(audio),
        stroke=torch.zeros(2, 2, spectrum.shape[-1] * SMALL.strokes),
    )
    losses = spectral_losses(codec, true, audio, steps=True) | heard_losses(audio, audio)
    assert set(losses) == {"level", "loud", "bands", "phase", "steps", "heard", "attack", "envelope", "lean"}
    for name, value in losses.items():
        assert float(value.abs()) < 1e-4, name
    assert measure(audio[0], audio[0]) == pytest.approx(
        {"mel_db": 0, "envelope_r": 1, "lean_db": 0}, abs=1e-4
    )


def test_measures_see_what_was_done():
    audio = noise()[0]
    louder = measure(audio, audio * torch.tensor([[2.0], [1.0]]))
    assert louder["mel_db"] == pytest.approx(3.01, abs=0.02)  # 6.02 dB in one of two ears
    assert louder["lean_db"] == pytest.approx(6.02, abs=0.02)
    assert measure(audio, 2 * audio)["envelope_r"] == pytest.approx(1)
    assert measure(audio, audio.flip(1))["envelope_r"] < 0.5


def test_a_codec_learns():
    codec, audio = small_codec().train(), noise(size=1)
    optimiser = torch.optim.AdamW(codec.parameters(), 5e-3)
    seen = []
    for step in range(12):
        losses = codec_step(codec, CodecLossConfig(), {"audio": audio, "step": step}, torch.Generator())
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        seen.append(float(losses["bands"]))
    assert seen[-1] < 0.6 * seen[0]


def test_decoder_lesson_teaches_decoder_and_critic_but_not_the_encoder():
    lesson, audio = DecoderLesson(small_codec()), noise(40 * 1024, 1)
    losses = decoder_step(lesson, CodecLossConfig(), {"audio": audio, "step": 0}, torch.Generator())
    losses["loss"].backward()
    for name, parameter in lesson.named_parameters():
        encoder = name.startswith(
            ("codec.read", "codec.enc", "codec.fold", "codec.to_lat", "codec.outline_in")
        )
        assert (parameter.grad is None) == encoder, name


def test_the_decoder_sees_the_critic_as_a_constant_and_the_critic_the_decoder():
    lesson, audio = DecoderLesson(small_codec()), noise(40 * 1024, 1)
    only = {name: 0.0 for name in CodecLossConfig.__dataclass_fields__}
    batch = {"audio": audio, "step": 0}

    def gradients(**weights: float) -> dict[str, float]:
        lesson.zero_grad()
        lesson_losses = decoder_step(lesson, CodecLossConfig(**only), batch, torch.Generator(), **weights)
        lesson_losses["loss"].backward()
        return {n: float(p.grad.abs().sum()) for n, p in lesson.named_parameters() if p.grad is not None}

    without = gradients(adversarial=0.0, matching=0.0)
    assert without["critic.sizes.0.verdict.weight"] > 0
    assert without["codec.write.weight"] == 0  # the critic's own loss does not move the decoder
    fooled = gradients(adversarial=1.0, matching=0.0)
    assert fooled["codec.write.weight"] > 0
    same = pytest.approx(without["critic.sizes.0.verdict.weight"], rel=1e-5)
    assert fooled["critic.sizes.0.verdict.weight"] == same  # nor the decoder's wish the critic
