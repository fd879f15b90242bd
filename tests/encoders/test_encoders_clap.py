"""Both CLAPs against their own code, run by itself outside the project on drawn weights and sounds.

The numbers are of small ones, the same classes with fewer and narrower blocks; of the published sizes every key and
shape is held. transformers 5.23 gave the language models there; here those tests need it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import published_parity as parity
import pytest
import torch

from weft.encoders import laion_clap, ms_clap
from weft.encoders.embedder import AudioEmbedder, TextEmbedder
from weft.encoders.htsat import HtsatConfig, folded
from weft.encoders.laion_clap import LaionClap, LaionClapConfig, LaionClapNet
from weft.encoders.language import Tokens
from weft.encoders.ms_clap import MsClap, MsClapConfig, MsClapNet
from weft.errors import MissingExtra, WeightsError
from weft.evaluation.embedders import EMBEDDERS

TEXT = find_spec("transformers") is not None
needs_text = pytest.mark.skipif(not TEXT, reason="transformers is not installed")
SMALL: dict[str, Any] = {"width": 24, "depths": (2, 2, 2, 2), "heads": (1, 2, 4, 8)}
LAION = LaionClapConfig(
    file=laion_clap.VARIANTS["laion-clap-audio"].file,
    htsat=HtsatConfig(rate=48000, hop=480, **SMALL),
    text={
        **laion_clap.ROBERTA,
        "vocab_size": 64,
        "max_position_embeddings": 100,
        "num_hidden_layers": 1,
        "intermediate_size": 96,
    },
)
MS = MsClapConfig(
    htsat=HtsatConfig(rate=32000, hop=320, **SMALL), text={"vocab_size": 64, "n_positions": 100, "n_layer": 1}
)


def heard(keys: dict[str, list[int]]) -> dict[str, list[int]]:
    """The keys without those of the text, where transformers is not there to give them."""
    return {k: v for k, v in keys.items() if TEXT or not k.startswith(("text_", "caption_encoder."))}


@pytest.fixture(scope="module")
def laion() -> LaionClapNet:
    net = parity.fill(LaionClapNet(LAION, text=TEXT))
    assert isinstance(net, LaionClapNet)
    return net


@pytest.fixture(scope="module")
def ms() -> MsClapNet:
    net = parity.fill(MsClapNet(MS, text=TEXT))
    assert isinstance(net, MsClapNet)
    return net


@pytest.mark.parametrize("name", list(laion_clap.VARIANTS))
@pytest.mark.slow
def test_the_keys_of_laions_are_the_published_ones(name: str) -> None:
    with torch.device("meta"):
        net = LaionClapNet(laion_clap.VARIANTS[name], text=TEXT)
    assert parity.keys(net) == heard(parity.read(name)["keys"])


def test_the_keys_of_microsofts_are_the_published_ones() -> None:
    with torch.device("meta"):
        net = MsClapNet(MsClapConfig(), text=TEXT)
    assert parity.keys(net) == heard(parity.read("ms-clap")["keys"])


def test_microsofts_filters_are_laid_out_for_32_khz_though_the_sound_has_44100() -> None:
    found = MsClapConfig().htsat
    assert (found.rate, found.hop, found.fmax, MsClap.rate) == (32000, 320, 14000, 44100)


def test_laions_audio_is_the_references(laion: LaionClapNet) -> None:
    wanted = parity.read("laion-clap-small")["outputs"]
    wave = parity.drawn("in.wave", 1, 480000) * 0.1
    found = LaionClap(laion).embed(wave, 48000)
    assert found.shape == (1, 1, 512)
    parity.assert_same(found[0], wanted["audio"])
    with torch.inference_mode():
        parity.assert_same(laion(wave[:, :100000]), wanted["audio 2.08 s"])


def test_microsofts_audio_is_the_references(ms: MsClapNet) -> None:
    found = MsClap(ms).embed(parity.drawn("in.wave", 1, 7 * 44100) * 0.1, 44100)
    assert found.shape == (1, 1, 1024)
    parity.assert_same(found[0], parity.read("ms-clap-small")["outputs"]["audio"])


@needs_text
def test_the_texts_are_the_references(laion: LaionClapNet, ms: MsClapNet) -> None:
    numbers = torch.tensor([[0, 5, 9, 33, 2, 1, 1], [0, 7, 8, 21, 45, 63, 2]])
    with torch.inference_mode():
        found = laion.words(numbers, (numbers != 1).long())
        parity.assert_same(found, parity.read("laion-clap-small")["outputs"]["text"])
        numbers = torch.tensor([[5, 9, 33, 50, 0, 0], [7, 8, 21, 45, 63, 50]])
        found = ms.words(numbers, (numbers != 0).long())
        parity.assert_same(found, parity.read("ms-clap-small")["outputs"]["text"])


def test_fadtk_windows_begin_every_second_and_round_to_16_bits(laion: LaionClapNet) -> None:
    wave = parity.drawn("in.wave", 1, 72000) * 0.1
    found = LaionClap(laion, compat="fadtk").embed(wave, 48000)
    assert found.shape == (1, 2, 512)
    rounded = (wave * 32767).to(torch.int16).float() / 32767
    with torch.inference_mode():
        late = laion(torch.cat([rounded[:, 48000:], torch.zeros(1, 480000 - 24000)], 1))
    torch.testing.assert_close(found[:, 1], late, atol=1e-6, rtol=1e-5)
    strict = LaionClap(laion).embed(wave, 48000)
    assert strict.shape == (1, 1, 512)
    assert not torch.allclose(strict, found[:, :1], atol=1e-3)


def test_the_same_sound_has_the_same_embedding_however_long(laion: LaionClapNet) -> None:
    wave = parity.drawn("in.long", 1, 600000) * 0.1
    once, again = (LaionClap(laion).embed(wave, 48000) for _ in range(2))
    assert once.shape == (1, 2, 512)
    assert torch.equal(once, again)


def test_a_picture_of_more_frames_than_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="1025 frames are more than the 1024"):
        folded(torch.zeros(1, 1, 1025, 64))
    rows = folded(torch.arange(1024.0).repeat(64, 1).T[None, None])
    assert rows.shape == (1, 1, 256, 256)
    assert rows[0, 0, [0, 64, 128, 255], 0].tolist() == [0, 256, 512, 768]


def test_laions_file_is_loaded_as_it_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None], laion: LaionClapNet
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(LAION.file)
    with pytest.raises(WeightsError, match=r"no 630k-audioset-best.pt in .*lukewys/laion_clap.*CC0-1.0"):
        LaionClap.load()
    with pytest.raises(ValueError, match=r"no LAION-CLAP 'clap': choose laion-clap-audio or"):
        LaionClap.load("clap")
    monkeypatch.setitem(laion_clap.VARIANTS, "laion-clap-audio", LAION)
    held = {f"module.{k}": v for k, v in laion.state_dict().items()}
    held |= {"module.text_branch.embeddings.position_ids": torch.arange(100)[None]}
    if not TEXT:
        held |= {"module.text_projection.0.weight": torch.zeros(2)}
    torch.save({"epoch": 1, "state_dict": held}, tmp_path / LAION.file.file)
    loaded = LaionClap.load()
    assert isinstance(loaded, AudioEmbedder)
    wave = parity.drawn("in.wave", 1, 16000)
    assert torch.equal(loaded.embed(wave, 16000), LaionClap(laion).embed(wave, 16000))
    row = EMBEDDERS["laion-clap-audio-fadtk"]
    as_printed = row.load()
    assert as_printed.windows == row.windows and row.sha256() == loaded.sha256
    assert torch.equal(as_printed.embed(wave, 16000), LaionClap(laion, compat="fadtk").embed(wave, 16000))
    with pytest.raises(ValueError, match=r"loaded without its text"):
        loaded.embed_text(["a dog"])


def test_microsofts_file_is_loaded_without_the_masks_of_older_transformers(ms: MsClapNet) -> None:
    mask = {
        "caption_encoder.base.h.0.attn.bias": torch.ones(1),
        "caption_encoder.base.h.0.attn.masked_bias": torch.ones(1),
    }
    kept = ms_clap.weights_of({**ms.state_dict(), **mask}, text=TEXT)
    assert kept.keys() == ms.state_dict().keys()
    assert not any("caption" in key for key in ms_clap.weights_of({**ms.state_dict(), **mask}, text=False))


def test_microsofts_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no CLAP_weights_2023.pth in .*microsoft/msclap.*MIT"):
        MsClap.load()


@pytest.mark.slow
def test_microsofts_file_of_the_published_size_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(ms_clap.FILE)
    net = MsClapNet(MsClapConfig()).eval()
    mask = {"caption_encoder.base.h.0.attn.bias": torch.ones(1)}
    torch.save({"model": {**net.state_dict(), **mask}}, tmp_path / ms_clap.FILE.file)
    loaded = EMBEDDERS["ms-clap-2023-fadtk"].load()
    assert isinstance(loaded, AudioEmbedder)
    assert len(loaded.sha256) == 64
    wave = parity.drawn("in.wave", 1, 50000) * 0.1
    found = loaded.embed(wave, 44100)
    assert found.shape == (1, 2, 1024)
    with torch.inference_mode():
        late = net(torch.cat([wave[:, 44100:], torch.zeros(1, 7 * 44100 - 5900)], 1))
    torch.testing.assert_close(found[:, 1], late, atol=1e-5, rtol=1e-4)


def test_without_transformers_the_text_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"embedding text with CLAP needs the \[eval\] extra"):
        LaionClapNet(LAION, text=True)


def words_file(path: Path, pad: str) -> Path:
    """A vocabulary of whole words; 0 is MS-CLAP's "!", 1 RoBERTa's "<pad>"."""
    tokenizers = pytest.importorskip("tokenizers")
    names = ["!", "<pad>", "<unk>", "a", "dog", "barks", "<|endoftext|>"]
    model = tokenizers.models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<unk>")
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.save(str(path))
    return path


@needs_text
def test_words_are_read_from_the_users_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, laion: LaionClapNet, ms: MsClapNet
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no roberta-base/tokenizer.json"):
        Tokens.load(laion_clap.TOKENS, pad="<pad>")
    for given, pad in ((laion_clap.TOKENS, "<pad>"), (ms_clap.TOKENS, "!")):
        (tmp_path / given.file).parent.mkdir()
        words_file(tmp_path / given.file, pad)
    heard = LaionClap(laion, tokens=Tokens.load(laion_clap.TOKENS, pad="<pad>"))
    assert isinstance(heard, TextEmbedder)
    together = heard.embed_text(["a dog", "a dog barks barks"])
    torch.testing.assert_close(together[:1], heard.embed_text(["a dog"]), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.norm(dim=-1), torch.ones(2))
    tokens = Tokens.load(ms_clap.TOKENS, pad="!", after=" <|endoftext|>")
    assert tokens(["a dog", "a dog barks"])[0].tolist() == [[3, 4, 6, 0], [3, 4, 5, 6]]
    assert MsClap(ms, tokens=tokens).embed_text(["a dog", "barks"]).shape == (2, 1024)
    (tmp_path / ms_clap.TOKENS.file).write_text("{")
    with pytest.raises(WeightsError, match=r"tokenizer.json cannot be read"):
        Tokens.load(ms_clap.TOKENS, pad="!")
