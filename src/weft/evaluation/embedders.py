"""The one table of embedders: plain data, how each is loaded, and what it can embed.

Where a user's file is missing, `sha256` raises WeightsError with the line that says which, and every other metric
still runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.cues.words import closest
from weft.errors import UserError
from weft.evaluation import published_embedders as user
from weft.evaluation.embedding import EmbedderSpec

if TYPE_CHECKING:
    from weft.encoders.embedder import Embedder


def _weft() -> Embedder:
    from weft.encoders.own import WeftEncoders

    return WeftEncoders.load()


def _weft_sha256() -> str:
    from weft.weights import sha256

    return sha256(
        "weft-encoders"
    )  # without its networks: a run that finds every feature in the cache needs none


def _log_mel() -> Embedder:
    from weft.encoders.log_mel_statistics import LogMelStatistics

    return LogMelStatistics()


def _log_mel_sha256() -> str:
    from weft.encoders.log_mel_statistics import SHA256

    return SHA256


EMBEDDERS = {
    spec.name: spec
    for spec in (
        EmbedderSpec(
            name="weft",
            summary="weft's own of sound, pictures and words, trained in its world; needs no download",
            windows="windows of 0.96 s every 0.48 s; a tail that fills none is left out, a shorter clip is "
            "padded to one",
            gives=("audio@", "logits@", "video@", "text@"),
            sha256=_weft_sha256,
            load=_weft,
            in_step=True,
            pictures="squash",
            materials=True,
        ),
        EmbedderSpec(
            name="log-mel-statistics",
            summary="mean and spread of 64 mel bands a second: needs no network, hears timbre coarsely",
            windows="1 s without overlap, the rest dropped; a shorter clip is one window",
            gives=("audio@",),
            sha256=_log_mel_sha256,
            load=_log_mel,
        ),
        EmbedderSpec(
            name="vggish",
            summary="VGGish before its last ReLU, 128 dimensions: FAD",
            windows="0.96 s side by side, an unfinished last one left out; silence after a sound shorter "
            "than 0.975 s",
            gives=("audio@",),
            sha256=user.vggish_sha256,
            load=user.vggish,
        ),
        *(
            EmbedderSpec(
                name=name,
                summary=f"PANNs' Cnn14 at {kilohertz} kHz, 2048 dimensions a clip, 527 classes: FD, FAD-P, KL, ISc",
                windows="the whole clip; one shorter than 0.32 s is followed by silence",
                gives=("audio@", "logits@"),
                sha256=sha256,
                load=load,
            )
            for name, kilohertz, sha256, load in (
                ("cnn14-16k", 16, user.cnn14_16k_sha256, user.cnn14_16k),
                ("cnn14-32k", 32, user.cnn14_32k_sha256, user.cnn14_32k),
            )
        ),
        EmbedderSpec(
            name="passt-s",
            summary="PaSST-S, 768 dimensions, 527 classes: FD_PaSST, KL, ISc",
            windows="10 s side by side, the last one ends with the sound; a shorter sound as it is, silence "
            "up to 0.16 s",
            gives=("audio@", "logits@"),
            sha256=user.passt_sha256,
            load=user.passt,
        ),
        EmbedderSpec(
            name="passt-s-av-benchmark",
            summary="PaSST-S as av-benchmark feeds it, for published FD_PaSST, KL and ISc",
            windows="the first 10 s, silence after a shorter sound (av-benchmark)",
            gives=("audio@", "logits@"),
            sha256=user.passt_sha256,
            load=user.passt_av_benchmark,
        ),
        EmbedderSpec(
            name="melception",
            summary="SpecVQGAN's Inception over mel pictures, 2048 dimensions, 309 classes: FID, MKL",
            windows="10 s side by side, the last one ends with the sound; silence after a shorter sound",
            gives=("audio@", "logits@", "bare-logits@"),
            sha256=user.melception_sha256,
            load=user.melception,
        ),
        *(
            EmbedderSpec(
                name=name,
                summary=f"LAION-CLAP {file}, 512 dimensions, unit norm: {used}",
                windows="10 s side by side, the last one ends with the sound; a shorter sound is repeated whole, "
                "then silence",
                gives=("audio@", "text@"),
                sha256=sha256,
                load=load,
            )
            for name, file, used, sha256, load in (
                (
                    "laion-clap-audio",
                    "630k-audioset-best",
                    "FAD-LC, CLAP scores",
                    user.laion_clap_sha256,
                    user.laion_clap,
                ),
                (
                    "laion-clap-music-speech",
                    "music_speech_audioset",
                    "av-benchmark's CLAP score",
                    user.laion_clap_speech_sha256,
                    user.laion_clap_speech,
                ),
            )
        ),
        EmbedderSpec(
            name="ms-clap-2023",
            summary="MS-CLAP 2023, 1024 dimensions: FAD-C, CLAP scores",
            windows="7 s side by side, the last one ends with the sound; a shorter sound is repeated",
            gives=("audio@", "text@"),
            sha256=user.ms_clap_sha256,
            load=user.ms_clap,
        ),
        EmbedderSpec(
            name="laion-clap-audio-fadtk",
            summary="LAION-CLAP 630k-audioset-best as fadtk feeds it, for published FAD-LC",
            windows="10 s beginning every second, followed by silence; 16-bit samples (fadtk)",
            gives=("audio@",),
            sha256=user.laion_clap_fadtk_sha256,
            load=user.laion_clap_fadtk,
        ),
        EmbedderSpec(
            name="ms-clap-2023-fadtk",
            summary="MS-CLAP 2023 as fadtk feeds it, for published FAD-C",
            windows="7 s beginning every second, followed by silence (fadtk)",
            gives=("audio@",),
            sha256=user.ms_clap_fadtk_sha256,
            load=user.ms_clap_fadtk,
        ),
        EmbedderSpec(
            name="imagebind-huge",
            summary="ImageBind of sound, pictures and words, 1024 dimensions: IB-score",
            windows="pictures: pairs of frames 2 s apart, three squares each; sound: three clips of 2 s, "
            "evenly spread",
            gives=("audio@", "video@", "text@"),
            sha256=user.imagebind_sha256,
            load=user.imagebind,
            pictures="whole",
        ),
        EmbedderSpec(
            name="vggish-i3d",
            summary="VGGish of the sound beside I3D of pictures and flow, 1152 dimensions: FAVD",
            windows="0.96 s side by side: of the sound an unfinished one left out; 24 pictures at 25 fps, the next one "
            "must exist",
            gives=("audio@", "eight-bit@", "video@"),
            sha256=user.vggish_i3d_sha256,
            load=user.vggish_i3d,
            in_step=True,
            pictures="whole",
            only=("favd-float", "favd-toolkit"),
        ),
        EmbedderSpec(
            name="synchformer",
            summary="Synchformer, 21 offsets from -2 to 2 s between sound and picture: DeSync",
            windows="0.64 s every 0.32 s, 8 picture and 6 sound vectors each; an offset from the first and last 14 "
            "(4.8 s)",
            gives=("audio@", "video@"),
            sha256=user.synchformer_sha256,
            load=user.synchformer,
            pictures="whole",
            only=("desync",),
        ),
        EmbedderSpec(
            name="diff-foley",
            summary="Diff-Foley's alignment classifier over CAVP and a spectrogram's latent: Align-Acc",
            windows="the first 8.192 s: 512 columns of 16 ms as a latent, 32 pictures; a shorter clip is repeated",
            gives=("audio@", "video@"),
            sha256=user.diff_foley_sha256,
            load=user.diff_foley,
            pictures="squash",
            only=("align-acc",),
        ),
    )
}


def embedder(name: str) -> EmbedderSpec:
    """Return the row called `name`; raises UserError naming the known ones."""
    if name not in EMBEDDERS:
        near = closest(name, EMBEDDERS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(EMBEDDERS)}"
        raise UserError(f"unknown embedder {name!r}; {hint} (weft eval --list prints all)")
    return EMBEDDERS[name]
