"""What MMAudio is made of: the configs of its networks and the published files that fill them.

Cheng et al. 2025. Five sizes share one CLIP, one Synchformer and the codec of their rate. Flow networks and
autoencoders are CC-BY-NC 4.0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from weft.codecs import mel_codec
from weft.codecs.mel_codec import CONFIGS, FILES, MelCodec, MelCodecConfig, MelCodecFiles
from weft.encoders import byte_pairs, dfn_clip, synchformer
from weft.encoders.dfn_clip_net import DfnClipConfig, build
from weft.encoders.loading import filled
from weft.encoders.synchformer_visual import SynchformerVisual, VisualConfig
from weft.errors import WeightsError
from weft.generators.mmaudio import VARIANTS, Variant, network
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.systems.memory import weight_bytes
from weft.systems.playing import Precision
from weft.weights import published
from weft.weights.published import Published

if TYPE_CHECKING:
    from weft.encoders.dfn_clip import DfnClip
    from weft.systems.guide import Guide

_FLOWS = "https://huggingface.co/hkchengrex/MMAudio/resolve/main/weights"
_MD5 = {
    "small_16k": ("af93cde404179f58e3919ac085b8033b", 629),
    "small_44k": ("babd74c884783d13701ea2820a5f5b6d", 630),
    "medium_44k": ("5a56b6665e45a1e65ada534defa903d0", 2487),
    "large_44k": ("fed96c325a6785b85ce75ae1aafd2673", 4120),
    "large_44k_v2": ("01ad4464f049b2d7efdaa4c1a59b8dfe", 4122),
}
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
"""What the weights of the flow network, of the eyes and of the vocoder's convolutions are in. Float32 whatever is
asked: times, angles, the sampler's state, the autoencoder, CLIP of words, the vocoder's activations and last layer."""
_BRANCH = "vfeat_extractor."
WORKING = 1_000_000_000
"""Bytes beside the weights: Python, the libraries, and what layers hand to each other."""
TAKE = 150_000_000
"""Bytes that a take adds to those beside it."""
BY_MEL, BY_SOUND = 800_000_000, 4_000_000_000
"""Bytes that a guided step keeps for its gradient, one take at a time."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """One MMAudio: `flow` its network and lengths, the codec, the two encoders of pictures (CLIP's also of words)."""

    name: str
    flow: Variant
    flow_file: Published
    codec: MelCodecConfig
    codec_files: MelCodecFiles
    clip: DfnClipConfig = field(default_factory=DfnClipConfig)
    clip_file: Published = dfn_clip.PUBLISHED
    tokens_file: Published = byte_pairs.PUBLISHED
    sync: VisualConfig = field(default_factory=VisualConfig)
    sync_file: Published = synchformer.PUBLISHED

    @property
    def sounding(self) -> tuple[Published, ...]:
        """The files without which there is no sound."""
        return (self.flow_file, self.codec_files.vae, self.codec_files.vocoder)

    @property
    def files(self) -> tuple[Published, ...]:
        """All files."""
        return (*self.sounding, self.clip_file, self.tokens_file, self.sync_file)

    def require_files(self, *, clip: bool, sync: bool, text: bool) -> None:
        """Raise WeightsError that names every file that is missing, and what to do; or one whose sum is another."""
        asked = {self.clip_file: clip or text, self.tokens_file: text, self.sync_file: sync}
        wanted = (*self.sounding, *(one for one, needed in asked.items() if needed))
        missing = [one for one in wanted if not published.place_of(one).is_file()]
        if missing:
            first = missing[0]
            more = "".join(f", {one.file}" for one in missing[1:])
            raise WeightsError(
                f"{self.name} lacks {first.file} (from {first.url}, licence {first.licence}){more}: put what is "
                f"missing into {published.folder()}, or run: weft models download {self.name}"
            )
        for one in wanted:
            published.path_of(one)

    def load_flow(self, precision: Precision = "fp32") -> MMDiT:
        """The flow network from the user's copy. Raises WeightsError, and says whose checkpoint it is if it knows."""
        tensors = published.load(self.flow_file)
        try:
            return network(self.flow.config, tensors, self.flow_file, DTYPES[precision])
        except WeightsError as error:
            other = next((n for n, v in VARIANTS.items() if _is_of(tensors, v.config)), None)
            if other is None:
                raise
            raise WeightsError(
                f"{published.place_of(self.flow_file)} is a checkpoint of {system_name(other)}, not of {self.name}: "
                f"put the file of {self.flow_file.url} there"
            ) from error

    def load_codec(self, precision: Precision = "fp32", *, encoder: bool = False) -> MelCodec:
        """The codec, which only decodes unless its `encoder` is asked for. Raises WeightsError."""
        codec = MelCodec.from_files(self.codec, self.codec_files, encoder=encoder)
        if precision != "fp32":
            codec.vocoder.lowered(DTYPES[precision])
        return codec

    def load_clip(self, precision: Precision = "fp32") -> DfnClip:
        """CLIP of pictures, in that precision, and words. Raises WeightsError, MissingExtra."""
        return dfn_clip.DfnClip.load(self.clip_file, self.clip, DTYPES[precision])

    def load_sync(self, precision: Precision = "fp32") -> SynchformerVisual:
        """Synchformer's visual branch. Raises WeightsError."""
        tensors = published.load(self.sync_file)
        own = {k.removeprefix(_BRANCH): v for k, v in tensors.items() if k.startswith(_BRANCH)}
        return filled(lambda: SynchformerVisual(self.sync), own, self.sync_file).to(DTYPES[precision])

    def encoding_bytes(self, *, clip: bool, sync: bool, text: bool) -> int:
        """About how much memory encoding takes; of CLIP only the towers that are asked are ever read."""
        wanted = 0
        if clip or text:
            net = build(self.clip)
            wanted += weight_bytes(net.vision_model) * clip + weight_bytes(net.text_model) * text
        if sync:
            with torch.device("meta"):
                wanted += weight_bytes(SynchformerVisual(self.sync))
        return wanted + WORKING if wanted else 0

    def playing_bytes(
        self, takes: int = 1, precision: Precision = "fp32", *, guided: Guide | None = None
    ) -> int:
        """About how much memory `takes` takes need beside each other once everything is encoded; by what guide."""
        with torch.device("meta"):
            flow, codec = MMDiT(self.flow.config), MelCodec(self.codec, encoder=False)
        each = DTYPES[precision].itemsize
        extra = 0 if guided is None else BY_MEL if guided.asked.preset.thrifty else BY_SOUND
        return weight_bytes(flow, each) + weight_bytes(codec) + WORKING + TAKE * takes + extra


def system_name(variant: str) -> str:
    """The system of one of the generator's variants: large_44k_v2 is mmaudio-large-44k-v2."""
    return "mmaudio-" + variant.replace("_", "-")


def parts(variant: str) -> Parts:
    """The published MMAudio of a size, by its name in `weft.generators.mmaudio.VARIANTS`."""
    flow = VARIANTS[variant]
    kind: mel_codec.Variant = "16k" if flow.rate_hz == 16000 else "44k"
    md5, megabytes = _MD5[variant]
    file = f"mmaudio_{variant}.pth"
    return Parts(
        name=system_name(variant),
        flow=flow,
        flow_file=Published(
            file=file, url=f"{_FLOWS}/{file}", licence="CC-BY-NC 4.0", md5=md5, megabytes=megabytes
        ),
        codec=CONFIGS[kind],
        codec_files=FILES[kind],
    )


def _is_of(tensors: dict[str, torch.Tensor], config: MMDiTConfig) -> bool:
    """Whether a checkpoint has the keys and shapes of a config, tables of old ones aside."""
    with torch.device("meta"):
        own = {key: value.shape for key, value in MMDiT(config).state_dict().items()}
    return all(key in tensors and getattr(tensors[key], "shape", None) == own[key] for key in own)
