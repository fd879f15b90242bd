"""Melception: Inception-v3 over 10 s of mel picture, 2048 numbers and 309 VGGSound classes.

Iashin & Rahtu 2021 (SpecVQGAN); Diff-Foley scores with it too. One channel in, no max pooling before the blocks. FID
takes the 2048 numbers, the inception score the logits without their bias, KL those with it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from weft.encoders import windows
from weft.encoders.inception import Auxiliary, BlockA, BlockB, BlockC, BlockD, BlockE, Conv
from weft.encoders.mel import mel_spectrogram
from weft.encoders.vggsound import LABELS
from weft.weights import published
from weft.weights.published import Published

FILE = Published(
    file="melception-21-05-10T09-28-40.pt",
    url="https://a3s.fi/swift/v1/AUTH_a235c0f452d648828f745589cde1219a/specvqgan_public/"
    "melception-21-05-10T09-28-40.pt",
    licence="MIT",
    md5="a71a41041e945b457c7d3d814bbcf72d",
)
RATE = 22050
WINDOW_S = 10
_FRAMES, _KEPT = 860, 848
_AT_ONCE = 2

# VGGSound's mean and deviation of each of the 80 mel bands, published with the weights
_MEAN = """
0.51234712 0.52630101 0.52002938 0.51831866 0.52457265 0.51129235 0.51403755 0.51189406 0.50142221
0.50632402 0.49724399 0.4906213 0.49971113 0.48442903 0.48598301 0.4868163 0.47436119 0.48031359 0.4742281
0.46369397 0.47413055 0.46062686 0.45677793 0.46135474 0.452468 0.45232766 0.45208386 0.44351671 0.44667316
0.44447692 0.43676363 0.44002381 0.43772414 0.43061019 0.43120828 0.42603271 0.42863234 0.42296206
0.41733331 0.41804121 0.41605068 0.40875265 0.40666997 0.40407463 0.40353311 0.39708031 0.39375066
0.39301091 0.39047117 0.3846168 0.38145284 0.37985209 0.37419526 0.37080597 0.36786535 0.36569049 0.36336079
0.35775191 0.35504801 0.35284816 0.34594865 0.34112312 0.33784886 0.33095703 0.32559461 0.32003106
0.31506222 0.31138077 0.30403516 0.2996954 0.29578024 0.28861871 0.28581686 0.27922253 0.27444035 0.27339468
0.26571759 0.26280864 0.25664202 0.24853513
"""
_DEVIATION = """
0.08187601 0.08393201 0.08533191 0.08651366 0.087957 0.08924046 0.09011565 0.09138965 0.09215379 0.09251092
0.0935659 0.09333057 0.09446411 0.09400197 0.09477853 0.09487848 0.09424447 0.09417475 0.09498061 0.09362415
0.09453825 0.09481226 0.09359464 0.09437913 0.09384014 0.09438247 0.0941972 0.0934088 0.09423184 0.09344461
0.09265266 0.09307925 0.09299363 0.09236166 0.09156491 0.09161403 0.0915053 0.09102536 0.09048366 0.09025013
0.09078869 0.08985338 0.08877566 0.08961667 0.08859275 0.08827818 0.08833999 0.08760654 0.08812327
0.08782288 0.08645484 0.08718211 0.08644421 0.08532454 0.08592822 0.08452069 0.08474272 0.08476392
0.08334654 0.0841211 0.08367254 0.08252251 0.08320975 0.08257768 0.08171253 0.08204872 0.08098545 0.08152917
0.08209135 0.08073266 0.08225822 0.08324076 0.08058489 0.0851535 0.08355056 0.08067638 0.08536921 0.0810762
0.08357468 0.08556041
"""


def log_mel(wave: Tensor) -> Tensor:
    """Return standardised mel pictures `[B, 80, 848]` of `wave` `[B, 220500]`, 10 s at 22.05 kHz.

    Magnitudes in 80 Slaney bands of 125 to 7600 Hz, 1024 samples every 256, as decibels (20 lg mel - 20 + 100) / 100
    within 0 to 1; the middle 848 of 860 frames, each band less its mean over its deviation.
    """
    mel = mel_spectrogram(
        wave, rate=RATE, n_fft=1024, hop=256, n_mels=80, fmin=125, fmax=7600, power=1.0, pad="reflect"
    )
    scaled = ((20 * mel.clamp_min(1e-5).log10() - 20 + 100) / 100).clamp(0, 1)
    first = (_FRAMES - _KEPT) // 2
    middle = scaled[..., first : first + _KEPT]
    mean, deviation = (torch.tensor([[float(v)] for v in t.split()]).to(wave) for t in (_MEAN, _DEVIATION))
    return (middle - mean) / deviation


class MelceptionNet(nn.Module):
    """Mel pictures `[B, 80, T]` to (embedding `[B, 2048]`, logits `[B, 309]`). Keys as in SpecVQGAN's file."""

    def __init__(self, classes: int = 309) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(1, 32, 3, 2)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = BlockA(192, 32), BlockA(256, 64), BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c = BlockC(768, 128), BlockC(768, 160)
        self.Mixed_6d, self.Mixed_6e = BlockC(768, 160), BlockC(768, 192)
        self.AuxLogits = Auxiliary(768, classes)
        self.Mixed_7a, self.Mixed_7b, self.Mixed_7c = BlockD(768), BlockE(1280), BlockE(2048)
        self.fc = nn.Linear(2048, classes)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        x = mel[:, None]
        for name, module in self.named_children():
            if name not in ("AuxLogits", "fc"):
                x = module(x)
        embedding = x.mean((2, 3))
        return embedding, self.fc(embedding)


class Melception:
    """An `AudioClassifier`; `bare_logits` are those without the bias."""

    name = "melception"
    rate = RATE
    d = 2048
    labels = LABELS
    windows = "10 s side by side, the last one ends with the sound; silence after a shorter sound"

    def __init__(self, net: MelceptionNet, *, sha256: str = "") -> None:
        self.net, self.sha256 = net.eval(), sha256

    @classmethod
    def load(cls) -> Melception:
        """Return the embedder with the user's copy of `FILE`. Raises WeightsError."""
        with torch.device("meta"):
            net = MelceptionNet()
        published.fit(net, published.part(published.load(FILE), "model", FILE), FILE)
        return cls(net, sha256=published.sha256(published.path_of(FILE)))

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Return embeddings `[B, T, 2048]`, none below 0, of mono sound `[B, N]` at `rate` Hz, about -1 to 1."""
        return self._both(wave, rate)[0]

    def logits(self, wave: Tensor, rate: int) -> Tensor:
        """Return logits `[B, 309]` of the clips `[B, N]` at `rate` Hz, the mean over the windows."""
        return self._both(wave, rate)[1].mean(1)

    def bare_logits(self, wave: Tensor, rate: int) -> Tensor:
        """Return `logits` without their bias, `[B, 309]`: what SpecVQGAN's inception score is taken of."""
        return self.logits(wave, rate) - self.net.fc.bias.detach()

    @torch.inference_mode()
    def _both(self, wave: Tensor, rate: int) -> tuple[Tensor, Tensor]:
        cut = windows.side_by_side(windows.at_rate(wave, rate, RATE), WINDOW_S * RATE, "silence")
        parts = [self.net(log_mel(part)) for part in cut.flatten(0, 1).split(_AT_ONCE)]
        embeddings, logits = (
            torch.cat(found).unflatten(0, cut.shape[:2]) for found in zip(*parts, strict=True)
        )
        return embeddings, logits
