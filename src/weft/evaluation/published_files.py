"""The files of others that each published embedder runs on."""

from __future__ import annotations

from weft.weights.published import Published, folder, place_of


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


def _laion_clap_sound() -> tuple[Published, ...]:
    from weft.encoders.laion_clap import VARIANTS

    return (VARIANTS["laion-clap-audio"].file,)


def _ms_clap() -> tuple[Published, ...]:
    from weft.encoders.ms_clap import FILE, TOKENS

    return (FILE, TOKENS)


def _ms_clap_sound() -> tuple[Published, ...]:
    from weft.encoders.ms_clap import FILE

    return (FILE,)


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
    "passt-s-av-benchmark": _passt,
    "melception": _melception,
    "laion-clap-audio": _laion_clap,
    "laion-clap-audio-fadtk": _laion_clap_sound,
    "laion-clap-music-speech": _laion_clap_speech,
    "ms-clap-2023": _ms_clap,
    "ms-clap-2023-fadtk": _ms_clap_sound,
    "imagebind-huge": _imagebind,
    "vggish-i3d": _vggish_i3d,
    "synchformer": _synchformer,
    "diff-foley": _diff_foley,
}
"""The files of each embedder of the table that others published, by its name."""


def lacking(name: str) -> str | None:
    """Return the line that says which files of an embedder are not here, from where and under which licence; None
    where none is missing or only one, which the error of its loading names as well."""
    given = FILES[name]() if name in FILES else ()
    lost = [f for f in given if not place_of(f).is_file()]
    if len(lost) < 2:
        return None
    said = [f"{f.file} from {f.url} (licence: {f.licence})" for f in lost]
    return (
        f"{len(lost)} files are not in {folder()}: get {', '.join(said[:-1])} and {said[-1]}, and put them there, "
        "or name their folder in WEFT_WEIGHTS"
    )
