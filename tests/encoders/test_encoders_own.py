"""weft's own embedders: shapes, windows, rates, silence, what is refused; and, as shipped, what they tell apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weft import weights
from weft.cues.vocabulary import MATERIALS
from weft.encoders.audio_net import AudioNet, AudioNetConfig
from weft.encoders.embedder import AudioClassifier, AudioEmbedder, TextEmbedder, VideoEmbedder
from weft.encoders.own import WeftAudio, WeftText, WeftVideo
from weft.encoders.steps import summary
from weft.errors import WeightsError

RATE = 44100


@pytest.fixture(scope="module")
def audio() -> WeftAudio:
    return WeftAudio.load()


@pytest.fixture(scope="module")
def video() -> WeftVideo:
    return WeftVideo.load()


@pytest.fixture(scope="module")
def text() -> WeftText:
    return WeftText.load()


def noise(seconds: float, rate: int = RATE, sounds: int = 1, seed: int = 0) -> torch.Tensor:
    made = torch.randn(sounds, round(seconds * rate), generator=torch.Generator().manual_seed(seed))
    return 0.1 * made


def knocks(seconds: float = 4.0, rate: int = RATE) -> torch.Tensor:
    """Three dull blows, far below half of any rate here, so that resampling keeps all of them."""
    t = torch.arange(round(seconds * rate)) / rate
    wave = torch.zeros_like(t)
    for at in (0.5, 1.7, 3.1):
        since = (t - at).clamp_min(0)
        wave += (t >= at) * torch.sin(2 * torch.pi * 700 * since) * torch.exp(-since / 0.05)
    return 0.5 * wave[None]


def film(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (frames, 72, 96, 3), dtype=np.uint8)


def test_they_are_what_the_protocols_ask_for(audio: WeftAudio, video: WeftVideo, text: WeftText) -> None:
    assert isinstance(audio, AudioEmbedder) and isinstance(audio, AudioClassifier)
    assert isinstance(video, VideoEmbedder) and isinstance(text, TextEmbedder)
    assert audio.d == video.d == text.d == 128
    assert audio.sha256 == video.sha256 == text.sha256 == weights.sha256("weft-encoders")
    assert weights.path_of("weft-encoders").stat().st_size < 6 * 2**20


@pytest.mark.parametrize(
    ("seconds", "windows"), [(0.01, 1), (0.96, 1), (1.4, 1), (1.45, 2), (4.0, 7), (10.0, 19)]
)
def test_a_window_every_048_s_and_at_least_one(audio: WeftAudio, seconds: float, windows: int) -> None:
    made = audio.embed(noise(seconds, sounds=2), RATE)
    assert made.shape == (2, windows, 128) and made.dtype == torch.float32
    assert made.norm(dim=-1) == pytest.approx(torch.ones(2, windows), abs=1e-5)


def test_sound_and_pictures_of_a_clip_have_the_same_windows(audio: WeftAudio, video: WeftVideo) -> None:
    for frames in (12, 17, 18, 50, 53):
        seen = video.embed_video(film(frames))
        assert seen.shape == (audio.embed(noise(frames / 12.5), RATE).shape[1], 128)
    assert video.embed_video(film(1)).shape == (1, 128)


def test_a_window_does_not_know_what_is_far_from_it(audio: WeftAudio) -> None:
    one, other = noise(8.0), noise(8.0)
    other[:, 4 * RATE :] = 0.0
    a, b = audio.embed(one, RATE)[0], audio.embed(other, RATE)[0]
    torch.testing.assert_close(a[:5], b[:5], atol=1e-5, rtol=0)  # end by 2.88 s
    assert (a[-4:] - b[-4:]).norm(dim=-1).min() > 0.05


def test_the_same_twice_alone_and_in_a_batch(audio: WeftAudio, video: WeftVideo) -> None:
    many = noise(10.0, sounds=9)
    together = audio.embed(many, RATE)
    assert torch.equal(together, audio.embed(many, RATE))
    torch.testing.assert_close(together[1:2], audio.embed(many[1:2], RATE), atol=1e-5, rtol=0)
    assert torch.equal(video.embed_video(film(20)), video.embed_video(film(20)))


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
def test_another_rate_gives_nearly_the_same(audio: WeftAudio, rate: int) -> None:
    there, here = audio.embed(knocks(rate=rate), rate), audio.embed(knocks(), RATE)
    assert there.shape == here.shape
    assert (there * here).sum(-1).min() > 0.97
    assert (
        audio.embed(knocks(rate=rate), RATE)[:, :1] * here[:, :1]
    ).sum() < 0.97  # a wrong rate is not nearly so


def test_silence_is_finite_and_like_itself(audio: WeftAudio) -> None:
    made = audio.embed(torch.zeros(1, 4 * RATE), RATE)[0]
    assert torch.isfinite(made).all() and made.norm(dim=-1) == pytest.approx(torch.ones(7), abs=1e-5)
    assert torch.isfinite(audio.logits(torch.zeros(1, RATE), RATE)).all()
    assert (made[2] @ made[4]).item() == pytest.approx(1, abs=1e-3)


def test_logits_are_of_the_labels(audio: WeftAudio) -> None:
    assert audio.labels == MATERIALS
    assert audio.logits(noise(2.0, sounds=3), RATE).shape == (3, 17)
    assert audio.actions(noise(2.0, sounds=3), RATE).shape == (3, 5)


@pytest.mark.parametrize(
    ("wave", "rate", "said"),
    [
        (torch.zeros(100), RATE, r"must be \[sounds, samples\]"),
        (torch.zeros(1, 0), RATE, "some of each"),
        (torch.zeros(1, 100), 0, "rate is 0 Hz"),
        (torch.full((1, 100), float("inf")), RATE, "NaN or infinity"),
        (torch.full((1, 100), float("nan")), 16000, "NaN or infinity"),
    ],
)
def test_what_is_no_sound_is_refused(audio: WeftAudio, wave: torch.Tensor, rate: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        audio.embed(wave, rate)


@pytest.mark.parametrize("frames", [film(0), film(12).astype(np.float32), film(12)[:, :71], film(12)[0]])
def test_what_is_no_film_is_refused(video: WeftVideo, frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"must be uint8 \[T, 72, 96, 3\]"):
        video.embed_video(frames)


def test_texts_are_near_by_what_is_heard(text: WeftText) -> None:
    prompts = [
        "a hammer hits a steel pipe",
        "tapping on an iron gate",
        "walking over gravel",
        "",
        "木の机を叩く",
    ]
    made = text.embed_text(prompts)
    assert made.shape == (5, 128) and made.norm(dim=1) == pytest.approx(torch.ones(5), abs=1e-5)
    near = made @ made.T
    assert near[0, 1] > near[0, 2] + 0.2
    assert torch.allclose(made[3], made[4], atol=1e-6)  # nothing said
    torch.testing.assert_close(made[:1], text.embed_text(prompts[:1]), atol=1e-5, rtol=0)
    assert text.embed_text([]).shape == (0, 128)


def test_other_weights_are_refused(tmp_path) -> None:
    weights.save(tmp_path / "x.safetensors", {"w": torch.zeros(1)}, {})
    with pytest.raises(
        WeightsError, match="has no audio encoder in it: train one with recipes/train_encoders"
    ):
        WeftAudio.load(tmp_path / "x.safetensors")
    weights.save(tmp_path / "y.safetensors", {"audio.w": torch.zeros(1)}, {"audio": {}})
    with pytest.raises(WeightsError, match="keys missing"):
        WeftAudio.load(tmp_path / "y.safetensors")


def test_the_net_says_what_it_wants() -> None:
    net = AudioNet(AudioNetConfig(channels=(8, 8, 8, 8), width=16, depth=1, d=8))
    assert net.steps(torch.zeros(2, 103, 64)).shape == (2, 16, 12)
    with pytest.raises(ValueError, match="8 or more frames"):
        net.steps(torch.zeros(2, 7, 64))


@pytest.mark.world
def test_the_shipped_encoders_tell_materials_words_and_spoilt_sounds(
    audio: WeftAudio, text: WeftText
) -> None:
    """On 20 clips of the test split: far more right than by chance; the cosine with the sound as it is falls."""
    from weft.world import MIX, render_clip, sample_scene, split_seed

    clips = []
    for i in range(5000, 5020):
        clip = render_clip(sample_scene(MIX[i % 10], split_seed("test", i)), picture=False)
        assert clip.audio is not None
        clips.append((torch.from_numpy(clip.audio).mean(0), clip))
    waves = torch.stack([w for w, _ in clips])
    heard = audio.logits(waves, RATE).argmax(1).tolist()
    right = sum(MATERIALS[k] == c.material for k, (_, c) in zip(heard, clips, strict=True))
    assert right >= 12  # of 20; chance gives one or two
    own = audio.embed(waves, RATE)
    said = text.embed_text([c.captions[1] for _, c in clips])
    match = summary(own) @ said.T
    kind = [(c.material, c.action) for _, c in clips]
    other = torch.tensor([[a != b for b in kind] for a in kind])
    assert match.diagonal().mean() > match[other].mean() + 0.2
    rms = waves.square().mean(1, keepdim=True).sqrt()
    hiss = torch.randn(waves.shape, generator=torch.Generator().manual_seed(1)) * rms
    like = [
        float((audio.embed(waves + hiss * 10 ** (-snr / 20), RATE) * own).sum(-1).mean())
        for snr in (40, 20, 0)
    ]
    assert like[0] > like[1] + 0.001 > like[2] + 0.05


@pytest.mark.world
@pytest.mark.slow
def test_pictures_prefer_their_own_sound_in_time(audio: WeftAudio, video: WeftVideo) -> None:
    """Over eight clips of the test split: the mean cosine falls with lateness, and with the sound of another clip."""
    from weft.training.pairs import at_pictures
    from weft.world import MIX, render_clip, sample_scene, split_seed

    seen, heard = [], []
    for i in range(6000, 6008):
        clip = render_clip(sample_scene(MIX[i % 10], split_seed("test", i)), size=(128, 96))
        assert clip.frames is not None
        assert clip.audio is not None
        seen.append(video.embed_video(at_pictures(clip.frames, clip.fps)))
        heard.append(torch.from_numpy(clip.audio).mean(0))
    pictures, waves = torch.stack(seen), torch.stack(heard)

    def match(sounds: torch.Tensor) -> float:
        return float((pictures * audio.embed(sounds, RATE)).sum(-1).mean())

    late = [match(waves.roll(round(s * RATE), 1)) for s in (0.0, 0.16, 0.64)]
    assert late[0] > late[1] + 0.02 and late[0] > late[2] + 0.05
    assert late[0] > match(waves.roll(1, 0)) + 0.1
