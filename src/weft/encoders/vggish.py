"""VGGish: 128 numbers for each .96 s of sound, the embedding of the Fréchet audio distance.

Hershey et al. 2017; weights by Google, in torchvggish's layout. The embedding is the last layer before its ReLU, as in
fadtk and av-benchmark; `quantised` gives AudioSet's released form instead (after ReLU, whitened, 0 to 255), which the
FAVD toolkit uses.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders import windows
from weft.encoders.mel import filters_in_mel
from weft.errors import WeightsError
from weft.weights import published
from weft.weights.published import Published

_RELEASE = "https://github.com/harritaylor/torchvggish/releases/tag/v0.1"
FILE = Published(
    file="vggish-10086976.pth",
    url=_RELEASE,
    licence="Apache-2.0",
    sha256="10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b",
)
WHITENING = Published(
    file="vggish_pca_params-970ea276.pth", url=_RELEASE, licence="Apache-2.0", sha256="970ea276"
)

RATE = 16000
_WIN, _HOP, _FFT, _FRAMES, _MELS = 400, 160, 512, 96, 64
_SHORTEST = _WIN + (_FRAMES - 1) * _HOP


def log_mel(wave: Tensor) -> Tensor:
    """Return log mel examples `[B, T, 96, 64]` of `wave` `[B, N]` at 16 kHz: 25 ms frames every 10 ms, not centred,
    magnitudes in 64 bands of 125 to 7500 Hz, ln(mel + .01); 96 frames an example, an unfinished one left out.

    A sound shorter than one example is followed by silence.
    """
    frames = windows.at_least(wave, _SHORTEST).unfold(-1, _WIN, _HOP)
    spectrum = torch.fft.rfft(frames * torch.hann_window(_WIN).to(wave), _FFT).abs()
    weights = filters_in_mel(rate=RATE, n_fft=_FFT, n_mels=_MELS, fmin=125, fmax=7500)
    mel = (spectrum @ weights.to(wave).T + 0.01).log()
    return mel[:, : mel.shape[1] // _FRAMES * _FRAMES].unflatten(1, (-1, _FRAMES))


class VggishNet(nn.Module):
    """Log mel examples `[n, 96, 64]` to embeddings `[n, 128]` before the last ReLU. Keys as in torchvggish."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for convolutions in ((64,), (128,), (256, 256), (512, 512)):
            for out in convolutions:
                layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
                channels = out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 6 * 4, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128)
        )

    def forward(self, examples: Tensor) -> Tensor:
        x = self.features(examples[:, None])
        return self.embeddings(
            x.permute(0, 2, 3, 1).flatten(1)
        )  # channels last: the weights come from TensorFlow


_GOOGLE = {
    "conv1": "features.0",
    "conv2": "features.3",
    "conv3/conv3_1": "features.6",
    "conv3/conv3_2": "features.8",
    "conv4/conv4_1": "features.11",
    "conv4/conv4_2": "features.13",
    "fc1/fc1_1": "embeddings.0",
    "fc1/fc1_2": "embeddings.2",
    "fc2": "embeddings.4",
}


def from_google(variables: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the variables of Google's TensorFlow checkpoint, read elsewhere, as `VggishNet` names them.

    There a convolution is `[height, width, in, out]` and a layer `[in, out]`. Raises WeightsError for missing ones.
    """
    missing = sorted({f"vggish/{n}/{k}" for n in _GOOGLE for k in ("weights", "biases")} - variables.keys())
    if missing:
        raise WeightsError(f"this is not Google's VGGish: {len(missing)} variables missing {missing[:5]}")
    found = {}
    for theirs, ours in _GOOGLE.items():
        weight = variables[f"vggish/{theirs}/weights"]
        found[f"{ours}.weight"] = (weight.permute(3, 2, 0, 1) if weight.ndim == 4 else weight.T).contiguous()
        found[f"{ours}.bias"] = variables[f"vggish/{theirs}/biases"]
    return found


class Vggish:
    """An `AudioEmbedder`. `whitening` ([128, 128] vectors and [128] means) is needed by `quantised` alone."""

    name = "vggish"
    rate = RATE
    d = 128
    windows = (
        "0.96 s side by side, an unfinished last one left out; silence after a sound shorter than 0.975 s"
    )

    def __init__(
        self, net: VggishNet, *, sha256: str = "", whitening: tuple[Tensor, Tensor] | None = None
    ) -> None:
        self.net, self.sha256, self.whitening = net.eval(), sha256, whitening

    @classmethod
    def load(cls, *, whitening: bool = False) -> Vggish:
        """Return the embedder with the user's copy of `FILE`, and of `WHITENING` where asked. Raises WeightsError."""
        with torch.device("meta"):
            net = VggishNet()
        published.fit(net, published.load(FILE), FILE)
        digest = published.sha256(published.path_of(FILE))
        return cls(net, sha256=digest, whitening=_whitening() if whitening else None)

    @torch.inference_mode()
    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Return embeddings `[B, T, 128]`, one each .96 s, of mono sound `[B, N]` at `rate` Hz, about -1 to 1."""
        examples = log_mel(windows.at_rate(wave, rate, RATE))
        return torch.stack([self.net(clip) for clip in examples])

    def quantised(self, wave: Tensor, rate: int) -> Tensor:
        """Return AudioSet's form of the embeddings `[B, T, 128]`: after ReLU, whitened, clipped to -2 to 2 and rounded
        to whole numbers 0 to 255. Raises ValueError without the whitening."""
        if self.whitening is None:
            raise ValueError("the quantised form needs the whitening: Vggish.load(whitening=True)")
        vectors, means = self.whitening
        white = (F.relu(self.embed(wave, rate)) - means) @ vectors.T
        return ((white.clamp(-2, 2) + 2) * (255 / 4)).round()


def _whitening() -> tuple[Tensor, Tensor]:
    held = published.load(WHITENING)
    try:
        vectors, means = (torch.as_tensor(held[k]).float() for k in ("pca_eigen_vectors", "pca_means"))
        return vectors.reshape(128, 128), means.reshape(128)
    except (KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{WHITENING.file} does not hold 128 x 128 pca_eigen_vectors and 128 pca_means"
        ) from error
