"""AudioLDM in miniature, of the published classes: diffusers' own pipeline gives the same latents and the same sound.

Weights are redrawn from names, so the numbers of diffusers 0.42.1's AudioLDMPipeline are kept here too: upstream has
stopped its care for that class. Where diffusers is not installed, the tests of the networks skip.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from weft.codecs.audio_ldm import TINY_AUDIO_LDM_CODEC, AudioLdmCodec, as_picture, as_rows
from weft.cues.sheet import Clip, CueSheet, What
from weft.diffusion.sampler import frame_noise
from weft.errors import UserError, WeightsError
from weft.systems.performer import Request

PROMPT, NEGATIVE = "a stick hits wood", "hiss"
# AudioLDMPipeline, 6 steps, guidance 2.5, 1 s: every 40th number of the latent's first 320, every 2,000th sample.
GOLDEN_LATENT = [35.87991, 0.97406, -3.55808, -0.27709, -25.59766, -3.36541, -10.32764, -5.62021]
GOLDEN_WAVE = [0.00103, 0.37293, 0.304, 0.2957, 0.29846, 0.28075, 0.31672, 0.29489]


def redraw(net: nn.Module, name: str) -> nn.Module:
    """Fill a network by its keys: matrices keep the scale of what they are given, scales lie near 1, else near 0."""
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if not value.is_floating_point() or key in ("mean", "scale"):
                continue
            seed = zlib.crc32(f"{name}:{key}".replace("parametrizations.weight.original", "weight_").encode())
            x = torch.from_numpy(np.random.default_rng(seed).standard_normal(value.shape, dtype=np.float32))
            if value.ndim >= 2:
                value.copy_(x / float(np.sqrt(x[0].numel())))
            else:
                value.copy_(1 + 0.1 * x if key.endswith("weight") else 0.1 * x)
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def tiny():
    pytest.importorskip("diffusers")
    pytest.importorskip("tokenizers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    from weft.encoders.clap_words import TINY_CLAP_WORDS, ClapWords
    from weft.generators.audio_ldm import TINY_AUDIO_LDM, AudioLdmNet
    from weft.systems.audio_ldm import AudioLdm

    names = ["<s>", "<pad>", "</s>", "<unk>", *["a", "stick", "hits", "wood", "hiss"]]
    plain = Tokenizer(models.WordLevel({word: k for k, word in enumerate(names)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", unk_token="<unk>", model_max_length=12
    )
    net = redraw(AudioLdmNet.build(TINY_AUDIO_LDM), "unet")
    codec = redraw(AudioLdmCodec.build(TINY_AUDIO_LDM_CODEC), "codec")
    return AudioLdm(net, codec, ClapWords(redraw(ClapWords.build(TINY_CLAP_WORDS), "words"), tokenizer))


def request(**named) -> Request:
    sheet = CueSheet(clip=Clip(duration=1.0), what=What(prompt=PROMPT, negative=NEGATIVE))
    return Request(**{"sheet": sheet, "duration": 1.0, "steps": 6, "seed": 5} | named)


def noise(seconds: float = 1.0, take: int = 0) -> torch.Tensor:
    return frame_noise(5, take, 0, -(-round(seconds * 16000) // 640), 128)[None]


def reference(tiny, seconds: float, steps: int) -> tuple[torch.Tensor, np.ndarray]:
    """Latents [B, T, 128] and sound [N] of diffusers' pipeline on the same networks and noise."""
    from diffusers import AudioLDMPipeline, DDIMScheduler

    scheduler = DDIMScheduler(
        beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip
    pipe = AudioLDMPipeline(
        vae=tiny.codec.vae, text_encoder=tiny.words.net, tokenizer=tiny.words.tokenizer,
        unet=tiny.net.unet, scheduler=scheduler, vocoder=tiny.codec.vocoder,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    kept: list[torch.Tensor] = []
    audio = pipe(
        PROMPT, negative_prompt=NEGATIVE, audio_length_in_s=seconds, num_inference_steps=steps,
        guidance_scale=2.5, latents=as_picture(noise(seconds)), callback=lambda i, t, z: kept.append(z),
    ).audios[0]  # fmt: skip
    return as_rows(kept[-1]), audio


@pytest.mark.parametrize(("seconds", "steps"), [(1.0, 6), (0.4, 30)])
def test_same_latents_and_sound_as_diffusers_own_pipeline(tiny, seconds: float, steps: int) -> None:
    latent, audio = reference(tiny, seconds, steps)
    told = tiny.words.embed_text([PROMPT, NEGATIVE])
    own = tiny.sample(noise(seconds), told[:1], told[1:], steps, 2.5)
    torch.testing.assert_close(own, latent, atol=1e-4, rtol=1e-4)
    blocks = list(tiny.perform(request(duration=seconds, steps=steps)))
    wave = np.concatenate(blocks, axis=1)
    assert wave.shape == (2, round(seconds * 16000)) and wave.dtype == np.float32
    np.testing.assert_allclose(wave[0], audio, atol=1e-4)
    np.testing.assert_array_equal(wave[0], wave[1])
    assert wave.std() > 1e-3


def test_the_numbers_kept_of_diffusers_pipeline(tiny) -> None:
    told = tiny.words.embed_text([PROMPT, NEGATIVE])
    own = tiny.sample(noise(), told[:1], told[1:], 6, 2.5)
    np.testing.assert_allclose(own.flatten()[:320:40], GOLDEN_LATENT, atol=1e-4)
    wave = np.concatenate(list(tiny.perform(request())), axis=1)[0]
    np.testing.assert_allclose(wave[::2000], GOLDEN_WAVE, atol=1e-4)


def test_words_guidance_steps_and_takes_are_heard(tiny) -> None:
    plain = np.concatenate(list(tiny.perform(request())), axis=1)
    other = CueSheet(clip=Clip(duration=1.0), what=What(prompt="hiss"))
    for changed in ({"sheet": other}, {"guidance": 1.0}, {"steps": 5}, {"seed": 6}, {"take": 1}):
        assert np.abs(np.concatenate(list(tiny.perform(request(**changed))), axis=1) - plain).max() > 1e-6


def test_it_can_be_guided_and_nothing_runs_back_through_its_network(tiny) -> None:
    """MDG on AudioLDM: a stand-in ear at 16 kHz; the decoder and the vocoder carry the gradient, the UNet none."""
    from weft.systems.guide import Guidance, Guide
    from weft.systems.guide_log import GuideLog

    mix = torch.randn(640, 24, generator=torch.Generator().manual_seed(0))

    class Ear:
        rate = 16000

        def felt(self, wave: torch.Tensor) -> torch.Tensor:
            return torch.tanh(wave.unfold(1, 640, 640) @ mix)

    fixed = torch.randn(2, 24, generator=torch.Generator().manual_seed(1))
    backwards: list[int] = []
    hook = tiny.net.register_full_backward_hook(lambda *_: backwards.append(1))
    after = {}
    try:
        for kind, scale in (("volume", 1e-9), ("volume", 2.0), ("mdg", None)):
            guide = Guide(
                asked=Guidance(kind=kind, scale=scale), ear=Ear(), pictures=fixed[:1], texts=fixed[1:]
            )
            log = GuideLog()
            list(tiny.perform(request(steps=10, duration=0.3, guide=guide, log=log)))
            after[kind, scale] = log.after[0]["volume"]
            wanted = range(3, 10) if kind == "mdg" else range(2, 9)
            assert [row["step"] for row in log.steps] == list(wanted)
            if kind == "mdg":
                assert all(row["moved"] == pytest.approx(0.1, rel=0.05) for row in log.steps)
    finally:
        hook.remove()
    assert not backwards
    assert after["volume", 2.0] < after["volume", 1e-9] - 0.01


def test_a_copy_of_a_repository_is_loaded(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from weft.systems.audio_ldm import AudioLdm

    home = tmp_path / "audioldm-m-full"
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no audioldm-m-full/unet in .*CC-BY-NC-SA 4.0"):
        AudioLdm.load("audioldm-m-full")
    parts = {
        "unet": tiny.net.unet, "vae": tiny.codec.vae, "vocoder": tiny.codec.vocoder,
        "text_encoder": tiny.words.net, "tokenizer": tiny.words.tokenizer,
    }  # fmt: skip
    for name, part in parts.items():
        part.save_pretrained(home / name)
    told = {"num_train_timesteps": 1000, "beta_start": 0.0015, "beta_end": 0.0195, "steps_offset": 1,
            "beta_schedule": "scaled_linear", "set_alpha_to_one": False}  # fmt: skip
    (home / "scheduler").mkdir()
    with pytest.raises(WeightsError, match="is no scheduler of AudioLDM's"):
        AudioLdm.load("audioldm-m-full")
    (home / "scheduler" / "scheduler_config.json").write_text(json.dumps(told))
    again = np.concatenate(list(AudioLdm.load("audioldm-m-full").perform(request())), axis=1)
    np.testing.assert_allclose(again, np.concatenate(list(tiny.perform(request())), axis=1), atol=1e-6)
    (home / "unet" / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"unet cannot be read .* get it again from cvssp/audioldm-m-full"):
        AudioLdm.load("audioldm-m-full")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"sheet": CueSheet(clip=Clip(duration=1.0))}, "hears words alone, and this clip has none"),
        ({"duration": 31.0}, "plays up to 30 s at once, not 31"),
        ({"steps": 0}, "0 sampler steps; AudioLDM takes 1 to 500"),
        ({"guidance": float("nan")}, "guidance nan is not a number"),
    ],
)
def test_what_it_cannot_play_is_refused(tiny, named, said: str) -> None:
    with pytest.raises(UserError, match=said):
        list(tiny.perform(request(**named)))


def test_rows_and_pictures_are_the_same_numbers() -> None:
    latent = torch.arange(2 * 3 * 128.0).reshape(2, 3, 128)
    assert as_picture(latent).shape == (2, 8, 3, 16)
    assert torch.equal(as_rows(as_picture(latent)), latent)
    assert float(as_picture(latent)[1, 2, 0, 5]) == float(latent[1, 0, 2 * 16 + 5])


def test_an_unknown_repository_is_refused() -> None:
    from weft.systems.audio_ldm import repository

    with pytest.raises(UserError, match="no AudioLDM 'audioldm'; choose audioldm-s-full-v2"):
        repository("audioldm", "unet")
