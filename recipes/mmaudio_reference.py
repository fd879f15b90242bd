"""MMAudio's own code, for recipes/benchmark_mmaudio.py: how its parts are built, and what is stubbed for it.

Of the reference only its checkout is used, which stays outside this project. Its torchvision has no build everywhere:
`stub` puts in its place the few transforms that it calls, by the same operation of torch that torchvision calls, so
that no work is saved. Everything here runs in the processes of the benchmark alone.
"""

from __future__ import annotations

import sys
from enum import Enum
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STUBBED = {
    "torchvision": "Resize by torch's antialiased bicubic of uint8 (what torchvision calls), CenterCrop, ToDtype, "
    "Normalize; all else absent",
    "open_clip's download": "the network is built from its classes and filled with the same random weights",
    "md5 of downloads": "read whole and hashed as download_utils does, the sum itself not compared",
}


class _Mode(Enum):
    """torchvision's names of interpolations; `_Resize` is bicubic whatever it is told."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


class _Absent(ModuleType):
    """A module whose names exist but do nothing: open_clip imports some that it never calls here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "InterpolationMode":
            return _Mode
        return type(name, (), {}) if name[0].isupper() else lambda *a, **k: None


class _Finder(MetaPathFinder, Loader):
    """Finds torchvision and all beneath it, and nothing else."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] == "torchvision" else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Resize(nn.Module):
    def __init__(self, size: int | tuple[int, int], interpolation: object = None) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        size = self.size
        if isinstance(size, int):
            scale = size / min(x.shape[-2:])
            size = (round(x.shape[-2] * scale), round(x.shape[-1] * scale))
        return F.interpolate(x, size, mode="bicubic", antialias=True)


class _Middle(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        top, left = ((n - self.size) // 2 for n in x.shape[-2:])
        return x[..., top : top + self.size, left : left + self.size]


class _Levels(nn.Module):
    def __init__(self, dtype: torch.dtype, scale: bool) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.dtype).div_(255)


class _Normalize(nn.Module):
    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x: Tensor) -> Tensor:
        mean, std = (x.new_tensor(v)[:, None, None] for v in (self.mean, self.std))
        return (x - mean) / std


def stub(reference: Path) -> None:
    """Let the reference be imported from its checkout, without torchvision."""
    import torch._dynamo  # noqa: F401  (looks for torchvision, and must not find what follows)
    import transformers.models.clip.modeling_clip  # noqa: F401

    sys.path.insert(0, str(reference))
    sys.meta_path.append(_Finder())
    import torchvision.transforms.v2  # noqa: F401

    v2 = sys.modules["torchvision.transforms.v2"]
    made = {"Compose": _compose, "Resize": _Resize, "CenterCrop": _Middle, "Normalize": _Normalize}
    made |= {"ToImage": nn.Identity, "ToDtype": _Levels}
    for name, value in made.items():
        setattr(v2, name, value)
    setattr(sys.modules["torchvision.transforms"], "Normalize", _Normalize)  # noqa: B010


def _compose(steps: list[nn.Module]) -> nn.Module:
    return nn.Sequential(*steps)


def flow(name: str, weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    from mmaudio.model.networks import get_my_mmaudio

    net = get_my_mmaudio(name).to(dtype).eval()
    net.load_weights(dict(weights))
    return net.requires_grad_(False)


def played(net: Any, told: dict[str, Tensor], noise: Tensor, scale: float, steps: int) -> Tensor:
    """Conditions projected, then Euler steps with guidance, as its `generate` does."""
    from mmaudio.model.flow_matching import FlowMatching

    known = net.preprocess_conditions(told["clip"], told["sync"], told["text"])
    nothing = net.get_empty_conditions(1, negative_text_features=told["negative"])
    path = FlowMatching(min_sigma=0, inference_mode="euler", num_steps=steps)
    return path.to_data(lambda t, x: net.ode_wrapper(t, x, known, nothing, scale), noise)


def eyes(weights: dict[str, Tensor], layers: int) -> Any:
    """open_clip's DFN5B ViT-H/14 of pictures, with MMAudio's normalisation, as `encode_video_with_clip` calls it."""
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
    from torchvision.transforms import Normalize

    vision = CLIPVisionCfg(layers=layers, width=1280, head_width=80, patch_size=14, image_size=378)
    text = CLIPTextCfg(context_length=77, vocab_size=16, width=64, heads=1, layers=1)
    with torch.device("meta"):
        net = CLIP(1024, vision, text, quick_gelu=True)
    net.load_state_dict(weights, assign=True)
    before = Normalize([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
    net = net.to(torch.bfloat16 if weights["visual.proj"].dtype == torch.bfloat16 else torch.float32).eval()
    return lambda x: net.encode_image(before(x), normalize=True)


def synchformer(weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    from mmaudio.ext.synchformer import Synchformer

    net = Synchformer()
    net.load_state_dict({f"vfeat_extractor.{key}": value for key, value in weights.items()})
    return net.to(dtype).eval().requires_grad_(False)


def autoencoder(kind: str, weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    from mmaudio.ext.autoencoder.vae import get_my_vae

    net = get_my_vae(kind).eval()
    net.load_state_dict(weights)
    net.remove_weight_norm()
    return net.to(dtype).requires_grad_(False)


def vocoder(kind: str, folder: Path, weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    """weights: with the weight norm folded. The 16 kHz one reads a file, which is written into `folder`."""
    if kind == "16k":
        from mmaudio.ext.bigvgan import BigVGAN

        torch.save({"generator": with_weight_norm(weights)}, folder / "vocoder.pt")
        return BigVGAN(folder / "vocoder.pt").to(dtype).eval().requires_grad_(False)
    from mmaudio.ext.bigvgan_v2.bigvgan import BigVGAN as Second
    from mmaudio.ext.bigvgan_v2.env import AttrDict

    net = Second(
        AttrDict(
            num_mels=128,
            upsample_rates=[8, 4, 2, 2, 2, 2],
            upsample_kernel_sizes=[16, 8, 4, 4, 4, 4],
            upsample_initial_channel=1536,
            resblock="1",
            resblock_kernel_sizes=[3, 7, 11],
            resblock_dilation_sizes=[[1, 3, 5]] * 3,
            activation="snakebeta",
            snake_logscale=True,
            use_bias_at_final=False,
            use_tanh_at_final=False,
        )
    )
    net.remove_weight_norm()
    net.load_state_dict(weights)
    return net.to(dtype).eval().requires_grad_(False)


def with_weight_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Folded weights in the layout of the published file: a direction and a length for each output."""
    found: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.endswith(".weight"):
            stem = key.removesuffix("weight")
            found[stem + "weight_v"] = value
            found[stem + "weight_g"] = value.flatten(1).norm(dim=1)[:, None, None]
        else:
            found[key] = value
    return found
