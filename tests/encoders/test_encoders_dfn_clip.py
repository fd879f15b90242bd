"""MMAudio's CLIP against its published keys and the numbers of open_clip on redrawn weights.

The reference is open_clip's CLIP, tiny, of the published widths with two layers a tower, and of the published size,
with MMAudio's own text: every token after the last norm, scaled to length 1.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_weights import DATA, assert_golden, drawn, golden, keys, weight
from torch.nn import functional as F

from weft.encoders.byte_pairs import BytePairs
from weft.encoders.dfn_clip import DfnClip, picture_vectors, token_vectors
from weft.encoders.dfn_clip_net import (
    TINY_DFN_CLIP,
    DfnClipConfig,
    TowerConfig,
    build,
    from_open_clip,
    library_names,
)
from weft.errors import WeightsError
from weft.weights.published import Published

GIVEN = Published(file="clip.bin", url="https://example.org/clip", licence="its own")
SHALLOW = DfnClipConfig(
    visual=TowerConfig(width=1280, depth=2, heads=16), text=TowerConfig(width=1024, depth=2, heads=16)
)


def layout(config: DfnClipConfig) -> dict[str, list[int]]:
    """open_clip's keys and shapes for another size: the published ones, cut and resized."""
    places = {1280: config.visual.width, 1024: config.text.width, 49408: config.vocabulary}
    found: dict[str, list[int]] = {}
    for key, shape in keys("dfn_clip").items():
        tower = config.visual if key.startswith("visual") else config.text
        layer = re.search(r"resblocks\.(\d+)\.", key)
        if layer and int(layer[1]) >= tower.depth:
            continue
        sizes = [places.get(n, n) for n in shape]
        old = 1280 if key.startswith("visual") else 1024
        sizes = [
            n // old * tower.width if n in (3 * old, 4 * old) else s
            for n, s in zip(shape, sizes, strict=True)
        ]
        if key == "visual.positional_embedding":
            sizes[0] = 1 + (config.size // config.patch) ** 2
        if key in ("visual.proj", "text_projection"):
            sizes[1] = config.joint
        found[key] = sizes
    return found


def file_of(config: DfnClipConfig) -> dict[str, torch.Tensor]:
    return {key: weight(key, torch.empty(shape)) for key, shape in layout(config).items()}


@pytest.fixture(scope="module")
def tokenizer() -> BytePairs:
    return BytePairs([])


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: BytePairs) -> DfnClip:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    torch.save(file_of(TINY_DFN_CLIP), tmp_path / GIVEN.file)
    clip = DfnClip.load(GIVEN, TINY_DFN_CLIP)
    clip.tokenizer = tokenizer
    return clip


def test_every_published_key_has_a_place_and_every_place_a_key() -> None:
    tensors = {key: torch.empty(shape, device="meta") for key, shape in keys("dfn_clip").items()}
    found = {key: list(value.shape) for key, value in from_open_clip(tensors).items()}
    own = {key: list(value.shape) for key, value in build(DfnClipConfig()).state_dict().items()}
    assert found == own
    names = [name for key in tensors for name in library_names(key)]
    assert len(names) == len(set(names)) == len(own), "no two keys share a place"
    assert sum(v.numel() for v in tensors.values()) == 986_714_881


def test_what_open_clip_does_not_have_keeps_its_name() -> None:
    for key in ("visual.unknown", "transformer.resblocks.3.attn.unknown", "text_model.embeddings"):
        assert library_names(key) == (key,)


def test_queries_keys_and_values_are_thirds_and_projections_are_turned() -> None:
    given = {
        "visual.transformer.resblocks.7.attn.in_proj_weight": torch.arange(12.0).reshape(6, 2),
        "visual.proj": torch.arange(6.0).reshape(2, 3),
        "logit_scale": torch.tensor([2.0]),
    }
    found = from_open_clip(given)
    stem = "vision_model.encoder.layers.7.self_attn."
    assert found[f"{stem}k_proj.weight"].tolist() == [[4.0, 5.0], [6.0, 7.0]]
    assert found["visual_projection.weight"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert found["logit_scale"].shape == ()


NUMBERS = [[49406, 320, 1929, 49407] + [0] * 73, [49406, *range(1000, 1075), 49407]]


@torch.inference_mode()
def test_tiny_gives_open_clips_numbers() -> None:
    assert_open_clip(TINY_DFN_CLIP, drawn("in.tiny", (2, 3, 48, 48)), "tiny")


@pytest.mark.slow
@torch.inference_mode()
@pytest.mark.parametrize(
    ("config", "pictures", "name"), [(SHALLOW, 2, "shallow"), (DfnClipConfig(), 1, "published")]
)
def test_the_published_widths_give_open_clips_numbers(
    config: DfnClipConfig, pictures: int, name: str
) -> None:
    """The published depth takes 4 GB of memory, two layers a tower 0.5."""
    assert_open_clip(config, drawn("in.pictures", (pictures, 3, 384, 384)), name)


def assert_open_clip(config: DfnClipConfig, pictures: torch.Tensor, name: str) -> None:
    """Within 1e-4 of the root mean square of a unit vector's numbers."""
    net = build(config)
    net.load_state_dict(from_open_clip(file_of(config)), assign=True)
    net.eval()
    for key, out in (
        ("pictures", picture_vectors(net, pictures)),
        ("text", token_vectors(net, torch.tensor(NUMBERS))),
    ):
        held = golden("dfn_clip")[name][key]
        assert_golden(out, held)
        found = out.flatten()[torch.tensor(held["index"])]
        assert float((found - torch.tensor(held["value"])).abs().max()) < 1e-4 / out.shape[-1] ** 0.5


@torch.inference_mode()
def test_the_activation_is_quick_gelu_and_words_do_not_look_ahead(tiny: DfnClip) -> None:
    block = tiny.net.text_model.encoder.layers[0].mlp
    x = torch.linspace(-3, 3, 7)
    torch.testing.assert_close(block.activation_fn(x), x * torch.sigmoid(1.702 * x))
    numbers = torch.tensor([[5, 6, 7, *[0] * 74], [5, 6, 9, *[0] * 74]])
    a, b = token_vectors(tiny.net, numbers)
    torch.testing.assert_close(a[:2], b[:2])
    assert not torch.allclose(a[2:], b[2:])


def test_pictures_of_any_size_give_one_unit_vector_each(tiny: DfnClip) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (5, 90, 160, 3), dtype=np.uint8)
    found = tiny.embed_video(frames, at_once=2)
    assert found.shape == (5, 24)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(5))
    torch.testing.assert_close(found[3:4], tiny.embed_video(frames[3:4]), atol=1e-6, rtol=1e-5)
    with pytest.raises(ValueError, match=r"frames must be uint8 \[T, H, W, 3\], not uint8 \[0, 90, 160, 3\]"):
        tiny.embed_video(frames[:0])


def test_pictures_are_squashed_to_384_and_normalised_by_clips_own_numbers(tiny: DfnClip) -> None:
    frame = np.full((1, 384, 384, 3), 51, np.uint8)
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    levels = torch.stack([torch.full((384, 384), (0.2 - m) / s) for m, s in zip(mean, std, strict=True)])
    with torch.inference_mode():
        wanted = picture_vectors(tiny.net, levels[None])
    torch.testing.assert_close(tiny.embed_video(frame), wanted, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(tiny.embed_video(frame[:, ::2, ::3]), wanted, atol=1e-6, rtol=1e-5)


def test_what_lies_beyond_the_networks_square_is_not_seen(tiny: DfnClip) -> None:
    levels = drawn("in.pictures", (1, 3, 48, 48))
    with torch.inference_mode():
        whole, cut = (picture_vectors(tiny.net, x) for x in (levels, levels[..., :42, :42]))
    assert torch.equal(whole, cut)


def test_a_text_is_77_unit_vectors_none_of_them_pooled_or_projected(tiny: DfnClip) -> None:
    found = tiny.encode_text(["a dog barks", ""])
    assert found.shape == (2, 77, 32)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(2, 77))
    numbers = torch.tensor([tiny.tokenizer.numbers(text) for text in ("a dog barks", "")])
    with torch.inference_mode():
        last = tiny.net.text_model(input_ids=numbers).last_hidden_state
    torch.testing.assert_close(found, F.normalize(last, dim=-1))
    assert not torch.allclose(found[0, 5:], found[1, 5:])


def test_loading_leaves_nothing_without_values(tiny: DfnClip) -> None:
    for _, value in [*tiny.net.named_parameters(), *tiny.net.named_buffers()]:
        assert not value.is_meta
        assert not value.requires_grad
    assert len(tiny.sha256) == 64
    assert tiny.d == 24


def test_a_file_that_is_missing_or_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(
        WeightsError, match=r"no open_clip_pytorch_model|no DFN5B-CLIP-ViT-H-14-384/open_clip"
    ):
        DfnClip.load()
    held = file_of(TINY_DFN_CLIP)
    del held["visual.ln_pre.bias"]
    torch.save({**held, "visual.stray": torch.zeros(1)}, tmp_path / GIVEN.file)
    with pytest.raises(
        WeightsError,
        match=r"1 keys missing \['vision_model\.pre_layrnorm\.bias'\], 1 unexpected \['visual\.stray'\]",
    ):
        DfnClip.load(GIVEN, TINY_DFN_CLIP)


def test_the_key_list_is_the_published_one() -> None:
    held = json.loads(gzip.decompress((DATA / "dfn_clip_keys.json.gz").read_bytes()))
    assert len(held) == 686
    assert held["visual.positional_embedding"] == [1 + 27 * 27, 1280]
