"""Embedders that others published, as rows for the table: each runs once its file lies where it is looked for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from weft.weights import published
from weft.weights.published import Published

if TYPE_CHECKING:
    from weft.encoders.embedder import Embedder


def vggish() -> Embedder:
    from weft.encoders.vggish import Vggish

    return Vggish.load()


def vggish_sha256() -> str:
    from weft.encoders.vggish import FILE

    return _sha256(FILE)


def cnn14_16k() -> Embedder:
    from weft.encoders.cnn14 import Cnn14

    return Cnn14.load("cnn14-16k")


def cnn14_16k_sha256() -> str:
    from weft.encoders.cnn14 import CNN14_16K

    return _sha256(CNN14_16K.file)


def cnn14_32k() -> Embedder:
    from weft.encoders.cnn14 import Cnn14

    return Cnn14.load("cnn14-32k")


def cnn14_32k_sha256() -> str:
    from weft.encoders.cnn14 import CNN14_32K

    return _sha256(CNN14_32K.file)


def passt() -> Embedder:
    from weft.encoders.passt import Passt

    return Passt.load()


def passt_sha256() -> str:
    from weft.encoders.passt import FILE

    return _sha256(FILE)


def passt_av_benchmark() -> Embedder:
    from weft.encoders.passt import Passt

    return Passt.load(compat="av-benchmark")


def melception() -> Embedder:
    from weft.encoders.melception import Melception

    return Melception.load()


def melception_sha256() -> str:
    from weft.encoders.melception import FILE

    return _sha256(FILE)


def laion_clap() -> Embedder:
    from weft.encoders.laion_clap import LaionClap

    return LaionClap.load(text=True)


def laion_clap_sha256() -> str:
    from weft.encoders.laion_clap import TOKENS, VARIANTS

    published.path_of(TOKENS)
    return _sha256(VARIANTS["laion-clap-audio"].file)


def laion_clap_fadtk() -> Embedder:
    from weft.encoders.laion_clap import LaionClap

    return LaionClap.load(compat="fadtk")


def laion_clap_fadtk_sha256() -> str:
    from weft.encoders.laion_clap import VARIANTS

    return _sha256(VARIANTS["laion-clap-audio"].file)


def ms_clap() -> Embedder:
    from weft.encoders.ms_clap import MsClap

    return MsClap.load(text=True)


def ms_clap_sha256() -> str:
    from weft.encoders.ms_clap import FILE, TOKENS

    published.path_of(TOKENS)
    return _sha256(FILE)


def ms_clap_fadtk() -> Embedder:
    from weft.encoders.ms_clap import MsClap

    return MsClap.load(compat="fadtk")


def ms_clap_fadtk_sha256() -> str:
    from weft.encoders.ms_clap import FILE

    return _sha256(FILE)


def imagebind() -> Embedder:
    from weft.encoders.imagebind import ImageBind

    return ImageBind.load()


def imagebind_sha256() -> str:
    from weft.encoders.imagebind import PUBLISHED

    return _sha256(PUBLISHED)


def laion_clap_speech() -> Embedder:
    from weft.encoders.laion_clap import LaionClap

    return LaionClap.load("laion-clap-music-speech", text=True)


def laion_clap_speech_sha256() -> str:
    from weft.encoders.laion_clap import TOKENS, VARIANTS

    published.path_of(TOKENS)
    return _sha256(VARIANTS["laion-clap-music-speech"].file)


def synchformer() -> Embedder:
    from weft.encoders.synchformer import Synchformer
    from weft.evaluation.judges import SyncJudge

    return SyncJudge(Synchformer.load())


def synchformer_sha256() -> str:
    from weft.encoders.synchformer import PUBLISHED

    return _sha256(PUBLISHED)


def vggish_i3d() -> Embedder:
    from weft.encoders.i3d import I3D, I3DFlow
    from weft.encoders.vggish import Vggish
    from weft.evaluation.judges import VggishI3d

    return VggishI3d(Vggish.load(whitening=True), I3D.load(), I3DFlow.load(), sha256=vggish_i3d_sha256())


def vggish_i3d_sha256() -> str:
    """Of the four files' own, in order."""
    from weft.encoders.i3d import FLOW, RGB
    from weft.encoders.vggish import FILE, WHITENING

    every = [_sha256(given) for given in (FILE, WHITENING, RGB, FLOW)]
    return hashlib.sha256("\n".join(every).encode()).hexdigest()


def diff_foley() -> Embedder:
    from weft.encoders.diff_foley import DiffFoleyJudge

    return DiffFoleyJudge.load()


def diff_foley_sha256() -> str:
    from weft.encoders import diff_foley as judge

    return judge.sha256()


def _sha256(given: Published) -> str:
    return published.sha256(published.path_of(given))
