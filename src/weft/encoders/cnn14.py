"""PANNs' Cnn14: 2048 numbers and 527 AudioSet classes for a whole clip, at 16 or 32 kHz.

Kong et al. 2020 (PANNs). The embedding is the first fully connected layer after its ReLU, the one FD and FAD-P use;
the logits are those of the last, before the sigmoid: a KL over softmax of the sigmoid's probabilities means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders import windows
from weft.encoders.audioset import LABELS
from weft.encoders.logmel_layer import LogMelFilters, PowerSpectrum
from weft.weights import published
from weft.weights.published import Published

_ZENODO = "https://zenodo.org/record/3987831"
_LICENCE = "CC-BY-4.0"
_FEWEST_FRAMES = 32  # five halvings leave one


@dataclass(frozen=True, kw_only=True)
class Cnn14Config:
    """The front end of one published file, `fmin` and `fmax` in Hz."""

    file: Published
    rate: int
    n_fft: int
    hop: int
    fmin: float
    fmax: float
    classes: int = 527


CNN14_16K = Cnn14Config(
    file=Published(
        file="Cnn14_16k_mAP=0.438.pth",
        url=_ZENODO,
        licence=_LICENCE,
        sha256="e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
        md5="362fc5ff18f1d6ad2f6d464b45893f2c",
    ),
    rate=16000,
    n_fft=512,
    hop=160,
    fmin=50,
    fmax=8000,
)
CNN14_32K = Cnn14Config(
    file=Published(
        file="Cnn14_mAP=0.431.pth",
        url=_ZENODO,
        licence=_LICENCE,
        sha256="0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
        md5="541141fa2ee191a88f24a3219fff024e",
    ),
    rate=32000,
    n_fft=1024,
    hop=320,
    fmin=50,
    fmax=14000,
)
VARIANTS = {"cnn14-16k": CNN14_16K, "cnn14-32k": CNN14_32K}


class ConvBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm and ReLU, then a mean over `pool` x `pool`."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(out), nn.BatchNorm2d(out)

    def forward(self, x: Tensor, pool: int) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.avg_pool2d(x, pool) if pool > 1 else x


class Cnn14Net(nn.Module):
    """Waves `[B, N]` to (embedding `[B, 2048]`, logits `[B, 527]`). Keys as in PANNs' files."""

    def __init__(self, config: Cnn14Config) -> None:
        super().__init__()
        c = config
        self.spectrogram_extractor = PowerSpectrum(c.n_fft, c.hop)
        self.logmel_extractor = LogMelFilters(rate=c.rate, n_fft=c.n_fft, n_mels=64, fmin=c.fmin, fmax=c.fmax)
        self.bn0 = nn.BatchNorm2d(64)
        widths = (1, 64, 128, 256, 512, 1024, 2048)
        for i, (channels, out) in enumerate(pairwise(widths), 1):
            self.add_module(f"conv_block{i}", ConvBlock(channels, out))
        self.fc1 = nn.Linear(2048, 2048)
        self.fc_audioset = nn.Linear(2048, c.classes)

    def forward(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        mel = self.logmel_extractor(self.spectrogram_extractor(wave))[:, None]
        x = self.bn0(mel.transpose(1, 3)).transpose(1, 3)
        for i in range(1, 7):
            x = self.get_submodule(f"conv_block{i}")(x, 2 if i < 6 else 1)
        x = x.mean(3)
        embedding = F.relu(self.fc1(x.amax(2) + x.mean(2)))
        return embedding, self.fc_audioset(embedding)


class Cnn14:
    """An `AudioClassifier`: one embedding a clip, however long."""

    d = 2048
    labels = LABELS
    windows = "the whole clip; one shorter than 0.32 s is followed by silence"

    def __init__(self, net: Cnn14Net, config: Cnn14Config, *, name: str = "cnn14", sha256: str = "") -> None:
        self.net, self.config, self.name, self.sha256 = net.eval(), config, name, sha256
        self.rate = config.rate

    @classmethod
    def load(cls, variant: str = "cnn14-16k") -> Cnn14:
        """Return "cnn14-16k" or "cnn14-32k" with the user's copy of its file. Raises WeightsError, and ValueError for
        another variant."""
        if variant not in VARIANTS:
            raise ValueError(f"no Cnn14 {variant!r}: choose {' or '.join(VARIANTS)}")
        config = VARIANTS[variant]
        with torch.device("meta"):
            net = Cnn14Net(config)
        published.fit(net, published.part(published.load(config.file), "model", config.file), config.file)
        return cls(net, config, name=variant, sha256=published.sha256(published.path_of(config.file)))

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Return embeddings `[B, 1, 2048]`, none below 0, of mono sound `[B, N]` at `rate` Hz."""
        return self._both(wave, rate)[0][:, None]

    def logits(self, wave: Tensor, rate: int) -> Tensor:
        """Return logits `[B, 527]` of the whole clips `[B, N]` at `rate` Hz."""
        return self._both(wave, rate)[1]

    @torch.inference_mode()
    def _both(self, wave: Tensor, rate: int) -> tuple[Tensor, Tensor]:
        shortest = (_FEWEST_FRAMES - 1) * self.config.hop
        both: tuple[Tensor, Tensor] = self.net(
            windows.at_least(windows.at_rate(wave, rate, self.rate), shortest)
        )
        return both
