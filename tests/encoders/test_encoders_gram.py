"""GRAM's checkpoint, key by key, and its three encoders against plain formulas on the checkpoint's own names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from drawn_weights import drawn
from torch import Tensor

from weft.encoders.beats import banks, chunks
from weft.encoders.beats_net import BeatsConfig
from weft.encoders.embedder import AudioEmbedder, TextEmbedder, VideoEmbedder
from weft.encoders.gram import NAME, Gram, GramRules
from weft.encoders.gram_net import GramConfig, GramNet, SightConfig, WordsConfig, build, from_gram
from weft.encoders.wordpiece import WordPiece
from weft.errors import WeightsError

TINY = GramConfig(
    sight=SightConfig(width=16, depth=2, heads=2, inner=24, size=28),
    sound=BeatsConfig(
        patches=12, width=16, depth=2, heads=2, inner=32, places=8, groups=4, buckets=16, far=20
    ),
    words=WordsConfig(width=16, depth=2, heads=2, inner=24, vocabulary=12, places=48),
    joint=10,
)
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "stick", "hits", "metal", "##s", "once", "wood", ".")
SIGHT, WORDS = "vision_encoder.visual.", "multimodal_encoder.bert."


def layout(config: GramConfig) -> dict[str, tuple[int, ...]]:
    """Every key that a GRAM checkpoint has, with its shape; what it is not for, too."""
    s, w, j = config.sight, config.words, config.joint
    found: dict[str, tuple[int, ...]] = {
        SIGHT + "cls_token": (1, 1, s.width),
        SIGHT + "pos_embed": (1, 1 + (s.size // s.patch) ** 2, s.width),
        SIGHT + "patch_embed.proj.weight": (s.width, 3, s.patch, s.patch),
        SIGHT + "patch_embed.proj.bias": (s.width,),
    }

    def linear(stem: str, out: int, into: int) -> None:
        found.update({f"{stem}.weight": (out, into), f"{stem}.bias": (out,)})

    def norm(stem: str, width: int) -> None:
        found.update({f"{stem}.weight": (width,), f"{stem}.bias": (width,)})

    for i in range(s.depth):
        stem = f"{SIGHT}blocks.{i}."
        found |= {f"{stem}attn.qkv.weight": (3 * s.width, s.width)}
        found |= {f"{stem}attn.{which}_bias": (s.width,) for which in "qv"}
        linear(f"{stem}attn.proj", s.width, s.width)
        linear(f"{stem}mlp.fc1", s.inner, s.width)
        linear(f"{stem}mlp.fc2", s.width, s.inner)
        norm(f"{stem}norm1", s.width)
        norm(f"{stem}norm2", s.width)
    norm(SIGHT + "norm", s.width)
    linear(SIGHT + "head", 7, s.width)
    found |= {
        "vision_encoder.text.transformer.resblocks.0.ln_1.weight": (4,),
        "vision_encoder.logit_scale": (),
    }
    with torch.device("meta"):
        sound = GramNet(config).sound.state_dict()
    found |= {f"audio_encoder.{key}": tuple(v.shape) for key, v in sound.items()}
    found |= {
        WORDS + "embeddings.position_ids": (1, w.places),
        WORDS + "embeddings.word_embeddings.weight": (w.vocabulary, w.width),
        WORDS + "embeddings.position_embeddings.weight": (w.places, w.width),
        WORDS + "embeddings.token_type_embeddings.weight": (2, w.width),
    }
    norm(WORDS + "embeddings.LayerNorm", w.width)
    for i in range(w.depth):
        for kind in ("attention", "crossattention"):
            stem = f"{WORDS}encoder.layer.{i}.{kind}."
            for part in ("self.query", "self.key", "self.value", "output.dense"):
                linear(stem + part, w.width, w.width)
            norm(f"{stem}output.LayerNorm", w.width)
        stem = f"{WORDS}encoder.layer.{i}."
        linear(f"{stem}intermediate.dense", w.inner, w.width)
        linear(f"{stem}output.dense", w.width, w.inner)
        norm(f"{stem}output.LayerNorm", w.width)
    linear("multimodal_encoder.cls.predictions.transform.dense", w.width, w.width)
    norm("multimodal_encoder.cls.predictions.transform.LayerNorm", w.width)
    linear("multimodal_encoder.cls.predictions.decoder", w.vocabulary, w.width)
    found |= {"multimodal_encoder.cls.predictions.bias": (w.vocabulary,), "contra_temp": ()}
    into = {"t": w.width, "s": w.width, "v": s.width, "a": config.sound.width, "d": s.width}
    found |= {f"contra_head_{m}.linear.weight": (j, n) for m, n in into.items()}
    for m in ("va", "vs", "vas"):
        linear(f"contra_head_{m}", j, sum(into[x] for x in m))
    linear("itm_head.linear1", w.width, w.width)
    norm("itm_head.layernorm", w.width)
    linear("itm_head.linear2", 2, w.width)
    for m, n in (("vision", s.width), ("audio", config.sound.width), ("subtitle", w.width)):
        linear(f"hidden_trans_{m}_multimodal.0", w.width, n)
        norm(f"hidden_trans_{m}_multimodal.1", w.width)
        found[f"{m}_type_embeddings"] = (1, 1, w.width)
    return found | {"vision_frame_embedding": (1, 8, w.width), "audio_frame_embedding": (1, 1, w.width)}


def values(config: GramConfig) -> dict[str, Tensor]:
    held = {}
    for key, shape in layout(config).items():
        x = drawn(key, shape)
        scaled = x / float(np.sqrt(x[0].numel())) if len(shape) >= 2 else 1 + 0.1 * x
        held[key] = 0.1 * x if key.endswith("bias") else scaled
    first = held["audio_encoder.encoder.layers.0.self_attn.relative_attention_bias.weight"]
    held["audio_encoder.encoder.layers.1.self_attn.relative_attention_bias.weight"] = first
    held[WORDS + "embeddings.position_ids"] = torch.arange(config.words.places)[None]
    return held


HELD = values(TINY)


def filled() -> GramNet:
    net = build(TINY)
    net.load_state_dict(from_gram(HELD), assign=True)
    return net.requires_grad_(False)


def attended(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Plain attention of `[L, W]`, head by head."""
    out = []
    for one, two, three in zip(q.chunk(heads, -1), k.chunk(heads, -1), v.chunk(heads, -1), strict=True):
        out.append((one @ two.T / one.shape[-1] ** 0.5).softmax(-1) @ three)
    return torch.cat(out, -1)


def linear(x: Tensor, stem: str) -> Tensor:
    return F.linear(x, HELD[f"{stem}.weight"], HELD[f"{stem}.bias"])


def norm(x: Tensor, stem: str, eps: float) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], HELD[f"{stem}.weight"], HELD[f"{stem}.bias"], eps)


def seen(picture: Tensor) -> Tensor:
    """EVA01-CLIP by its own names: pre-norm, no bias of the keys; the class token after the last norm."""
    kernel, bias = (HELD[f"{SIGHT}patch_embed.proj.{last}"] for last in ("weight", "bias"))
    patches = F.conv2d(picture[None], kernel, bias, stride=14)[0].flatten(1).T
    x = torch.cat([HELD[SIGHT + "cls_token"][0], patches]) + HELD[SIGHT + "pos_embed"][0]
    for i in range(2):
        stem = f"{SIGHT}blocks.{i}."
        y = norm(x, f"{stem}norm1", 1e-6) @ HELD[f"{stem}attn.qkv.weight"].T
        q, k, v = y.chunk(3, -1)
        q, v = q + HELD[f"{stem}attn.q_bias"], v + HELD[f"{stem}attn.v_bias"]
        x = x + linear(attended(q, k, v, 2), f"{stem}attn.proj")
        x = x + linear(F.gelu(linear(norm(x, f"{stem}norm2", 1e-6), f"{stem}mlp.fc1")), f"{stem}mlp.fc2")
    return norm(x, SIGHT + "norm", 1e-6)[0]


def read(numbers: list[int]) -> Tensor:
    """BERT by its own names: post-norm; without what pads."""
    parts = ("word", "position", "token_type")
    tables = [HELD[f"{WORDS}embeddings.{part}_embeddings.weight"] for part in parts]
    x = tables[0][numbers] + tables[1][: len(numbers)] + tables[2][0]
    x = norm(x, WORDS + "embeddings.LayerNorm", 1e-12)
    for i in range(2):
        stem = f"{WORDS}encoder.layer.{i}."
        q, k, v = (linear(x, f"{stem}attention.self.{part}") for part in ("query", "key", "value"))
        made = linear(attended(q, k, v, 2), f"{stem}attention.output.dense")
        x = norm(x + made, f"{stem}attention.output.LayerNorm", 1e-12)
        made = linear(F.gelu(linear(x, f"{stem}intermediate.dense")), f"{stem}output.dense")
        x = norm(x + made, f"{stem}output.LayerNorm", 1e-12)
    return x[0]


def headed(x: Tensor, which: str) -> Tensor:
    return F.normalize(HELD[f"contra_head_{which}.linear.weight"] @ x, dim=0)


def checkpoint(folder: Path, held: dict[str, Tensor], steps: int = 900, **said: object) -> None:
    root = folder / NAME
    for part in ("log", "ckpt"):
        (root / part).mkdir(parents=True, exist_ok=True)
    model = {
        "audio_melbins": 64,
        "audio_target_length": 1024,
        "contra_dim": 10,
        "vision_encoder_type": "evaclip01_giant",
    }
    model |= {"audio_encoder_type": "beats", "vision_resolution": 224} | said
    (root / "log/hps.json").write_text(json.dumps({"run_cfg": {}, "model_cfg": model, "data_cfg": {}}))
    torch.save(held, root / f"ckpt/model_step_{steps}.pt")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    return tmp_path


def test_every_key_is_used_once_or_known_to_be_of_no_use() -> None:
    given, net = from_gram(HELD), build(TINY)
    assert given.keys() == net.state_dict().keys()
    assert all(given[k].shape == v.shape for k, v in net.state_dict().items())
    joined = TINY.sight.depth  # q_bias and v_bias become one
    left_out = len(HELD) - joined - len(given)
    unused = [k for k in HELD if not from_gram({k: HELD[k]})]
    assert len(unused) == left_out
    groups = {k.split(".")[0] for k in unused} - {"vision_encoder", "multimodal_encoder"}
    assert groups == {
        "contra_temp", "itm_head", "contra_head_s", "contra_head_d", "contra_head_va", "contra_head_vs",
        "contra_head_vas", "vision_frame_embedding", "audio_frame_embedding", "hidden_trans_vision_multimodal",
        "hidden_trans_audio_multimodal", "hidden_trans_subtitle_multimodal", "vision_type_embeddings",
        "audio_type_embeddings", "subtitle_type_embeddings",
    }  # fmt: skip


def test_full_size_has_the_published_layout() -> None:
    net = build(GramConfig())
    full = layout(GramConfig())
    given = from_gram({k: torch.empty(shape, device="meta") for k, shape in full.items()})
    assert {k: v.shape for k, v in given.items()} == {k: v.shape for k, v in net.state_dict().items()}
    sizes = [sum(p.numel() for p in part.parameters()) for part in (net.sight, net.sound, net.words)]
    assert sizes == pytest.approx([1011e6, 90.3e6, 108.9e6], rel=2e-3)
    assert tuple(net.head_sight.weight.shape) == (512, 1408)


def test_older_names_are_read_too() -> None:
    older = {k.replace("vision_encoder.", "clip_model."): v for k, v in HELD.items()}
    older = {f"module.{k.replace('vision_frame', 'video_frame')}": v for k, v in older.items()}
    assert from_gram(older).keys() == from_gram(HELD).keys()
    strange = from_gram(HELD | {"contra_head_x.weight": torch.zeros(1)})
    assert strange.keys() - from_gram(HELD).keys() == {"contra_head_x.weight"}


def test_pictures_are_seen_by_the_class_token_and_their_mean() -> None:
    pictures = drawn("in.pictures", (1, 2, 3, 28, 28))
    want = headed((seen(pictures[0, 0]) + seen(pictures[0, 1])) / 2, "v")
    torch.testing.assert_close(filled().see(pictures)[0], want, atol=2e-6, rtol=1e-5)


def test_words_are_read_both_ways_and_padding_is_not() -> None:
    gram = Gram(filled(), words=WordPiece(PIECES))
    found = gram.embed_text(["A stick hits metals.", "wood"])
    want = torch.stack([headed(read(n), "t") for n in ([2, 4, 5, 6, 7, 8, 11, 3], [2, 10, 3])])
    torch.testing.assert_close(found, want, atol=2e-6, rtol=1e-5)
    numbers, mask = gram.numbers(["a " * 100])
    assert numbers.shape == mask.shape == (1, 40)
    assert numbers[0].tolist() == [2, *[4] * 38, 3]


def test_sound_is_heard_as_the_mean_of_its_patches_with_all_of_its_gradient() -> None:
    net = filled()
    gram = Gram(net, rules=GramRules(chunk=64))
    wave = (0.1 * drawn("in.sound", (2, 8000))).requires_grad_()
    found = gram.hear(wave)
    tokens = net.sound(chunks(banks(wave.detach()), length=64)[:, 0])
    want = torch.stack([headed(clip.mean(0), "a") for clip in tokens])
    torch.testing.assert_close(found.detach(), want, atol=2e-6, rtol=1e-5)
    aim = F.normalize(drawn("in.aim", (10,)), dim=0)
    (found[0] @ aim).backward()
    assert wave.grad is not None
    assert float(wave.grad[1].abs().max()) == 0
    toward = drawn("in.way", (8000,))
    net.double()
    with torch.no_grad():
        sides = [gram.hear((wave[:1] + s * 1e-6 * toward).double())[0] @ aim.double() for s in (1, -1)]
    assert float((wave.grad[0] * toward).sum()) == pytest.approx(float(sides[0] - sides[1]) / 2e-6, rel=1e-2)


def test_middle_frames_are_chosen_squashed_or_cropped() -> None:
    frames = np.zeros((9, 30, 60, 3), np.uint8)
    frames[2], frames[6] = 255, 51  # the middles of 0-4 and 5-8
    frames[2, :, :15] = 0
    gram = Gram(filled())
    squashed = gram.pictures(frames)
    assert squashed.shape == (2, 3, 28, 28)
    level = (
        torch.tensor([1.0, 0.2])[:, None] - torch.tensor([0.48145466, 0.4578275, 0.40821073])
    ) / torch.tensor([0.26862954, 0.26130258, 0.27577711])
    torch.testing.assert_close(squashed[:, :, 14, 20], level, atol=1e-5, rtol=0)
    assert float(squashed[0, 0, 14, 2]) < 0 < float(squashed[0, 0, 14, 10])
    centre = Gram(filled(), rules=GramRules(crop="centre")).pictures(frames)
    assert float(centre[0, 0, 14, 2]) > 0  # the dark quarter is cut off
    with pytest.raises(ValueError, match="frames must be uint8"):
        gram.pictures(frames[:0])


def test_checkpoint_of_the_most_steps_is_read_and_is_an_embedder_of_all_three(weights: Path) -> None:
    checkpoint(weights, {k: v + 1 if v.is_floating_point() else v for k, v in HELD.items()}, steps=900)
    checkpoint(weights, HELD, steps=12000, audio_melbins=32, audio_target_length=128)
    (weights / "bert-base-uncased").mkdir()
    (weights / "bert-base-uncased/vocab.txt").write_text("\n".join(PIECES) + "\n")
    gram = Gram.load(config=TINY)
    assert (gram.rules.bands, gram.rules.chunk, gram.rules.frames) == (32, 128, 2)
    assert isinstance(gram, AudioEmbedder)
    assert isinstance(gram, VideoEmbedder)
    assert isinstance(gram, TextEmbedder)
    assert len(gram.sha256) == 64
    pictures = gram.embed_video(np.zeros((5, 20, 30, 3), np.uint8))
    sound, said = (
        gram.embed(0.1 * drawn("in.loaded", (2, 9000)), 8000),
        gram.embed_text(["a stick hits wood"]),
    )
    assert (pictures.shape, sound.shape, said.shape) == ((1, 10), (2, 1, 10), (1, 10))
    for found in (pictures, sound, said):
        torch.testing.assert_close(found.norm(dim=-1), torch.ones(found.shape[:-1]))
    plain = Gram(filled(), words=WordPiece(PIECES)).embed_text(["a stick hits wood"])
    torch.testing.assert_close(said, plain)


def test_bad_checkpoints_are_one_line(weights: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"no GRAM_pretrained_4modalities/log/hps\.json in .*ispamm/GRAM.*MIT"
    ) as no:
        Gram.load(config=TINY)
    assert "\n" not in str(no.value)
    checkpoint(weights, HELD)
    (weights / NAME / "ckpt/model_step_900.pt").unlink()
    with pytest.raises(WeightsError, match=r"no GRAM_pretrained_4modalities/ckpt/model_step_N\.pt in"):
        Gram.load(config=TINY)
    checkpoint(weights, {k: v for k, v in HELD.items() if "q_bias" not in k})
    with pytest.raises(
        WeightsError, match=r"does not fit: 2 keys missing \['sight.*2 unexpected \['vision_encoder"
    ):
        Gram.load(config=TINY)
    checkpoint(weights, HELD, vision_encoder_type="evaclip02_base")
    with pytest.raises(
        WeightsError, match="says vision_encoder_type 'evaclip02_base', but only 'evaclip01_giant'"
    ):
        Gram.load(config=TINY)
    checkpoint(weights, HELD, contra_dim=512)
    with pytest.raises(WeightsError, match="says contra_dim 512, not 10"):
        Gram.load(config=TINY)
    (weights / NAME / "log/hps.json").write_text("[1]")
    with pytest.raises(WeightsError, match=r"hps\.json has no model_cfg that can be read"):
        Gram.load(config=TINY)
    checkpoint(weights, HELD)
    with pytest.raises(WeightsError, match=r"no vocab\.txt|no bert-base-uncased/vocab\.txt in"):
        _ = Gram.load(config=TINY).tokenizer
