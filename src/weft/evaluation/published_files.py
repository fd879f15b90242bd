"""The files of others that each published embedder runs on."""

from __future__ import annotations

from weft.weights.published import Published


def _vggish() -> tuple[Published, ...]:
    from weft.encoders.vggish import FILE

    return (FILE,)


def _cnn14_16k() -> tuple[Published, ...]:
    from weft.encoders.cnn14 import CNN14_16K

    return (CNN14_16K.file,)


def _cnn14_32k() -> tuple[Published, ...]:
    from weft.encoders.cnn14 import CNN14_32K

    return (CNN14_32K.file,)


def _passt() -> tuple[Published, ...]:
    from weft.encoders.passt import FILE

    return (FILE,)


def _melception() -> tuple[Published, ...]:
    from weft.encoders.melception import FILE

    return (FILE,)


def _laion_clap() -> tuple[Published, ...]:
    from weft.encoders.laion_clap import TOKENS, VARIANTS

    return (VARIANTS["laion-clap-audio"].file, TOKENS)


def _laion_clap_speech() -> tuple[Published, ...]:
    from weft.encoders.laion_clap import TOKENS, VARIANTS

    return (VARIANTS["laion-clap-music-speech"].file, TOKENS)


def _ms_clap() -> tuple[Published, ...]:
    from weft.encoders.ms_clap import FILE, TOKENS

    return (FILE, TOKENS)


def _imagebind() -> tuple[Published, ...]:
    from weft.encoders.byte_pairs import PUBLISHED as TOKENS
    from weft.encoders.imagebind import PUBLISHED

    return (PUBLISHED, TOKENS)


def _vggish_i3d() -> tuple[Published, ...]:
    from weft.encoders.i3d import FLOW, RGB
    from weft.encoders.vggish import FILE, WHITENING

    return (FILE, WHITENING, RGB, FLOW)


def _synchformer() -> tuple[Published, ...]:
    from weft.encoders.synchformer import PUBLISHED

    return (PUBLISHED,)


def _diff_foley() -> tuple[Published, ...]:
    from weft.encoders.diff_foley import CAVP, CLASSIFIER

    return (CLASSIFIER, CAVP)


FILES = {
    "vggish": _vggish,
    "cnn14-16k": _cnn14_16k,
    "cnn14-32k": _cnn14_32k,
    "passt-s": _passt,
    "melception": _melception,
    "laion-clap-audio": _laion_clap,
    "laion-clap-music-speech": _laion_clap_speech,
    "ms-clap-2023": _ms_clap,
    "imagebind-huge": _imagebind,
    "vggish-i3d": _vggish_i3d,
    "synchformer": _synchformer,
    "diff-foley": _diff_foley,
}
"""The files of each embedder of the table that others published, by its name."""
