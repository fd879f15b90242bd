"""How weft's encoders are trained: the losses. `encoder_batches.py` draws what they are of.

One lesson for three networks: text and sound, text and pictures agree on the clip; pictures and sound agree window by
window, and disagree when the sound is shifted, of another material, or spoilt by noise or a low-pass. Heads name
materials and actions; on the side are heads for moments of contact, and for what single pictures show and where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.audio_net import AudioNet, AudioNetConfig
from weft.encoders.eye import LOOK_EVERY
from weft.encoders.steps import pooled, summary
from weft.encoders.text_net import TextNet, TextNetConfig
from weft.encoders.video_net import VideoNet, VideoNetConfig
from weft.training.contrastive import symmetric, synchrony
from weft.training.encoder_changes import altered, spoilt


@dataclass(frozen=True, kw_only=True)
class LessonConfig:
    """films, sounds, stills: scenes of a step that are seen and heard, heard, and seen in one picture. steps: pictures
    of a film (12.5 a second), of which every `look`-th is looked at. spoilt: share of films whose twin is their own
    sound, spoilt. crop: of a still, the least that is kept of each side. The rest are weights of losses, and `smooth`,
    of the labels."""

    films: int = 20
    sounds: int = 28
    stills: int = 48
    steps: int = 36
    look: int = 3 * LOOK_EVERY
    spoilt: float = 0.35
    crop: float = 0.6
    text: float = 1.0
    said_of_picture: float = 0.5
    sync: float = 1.0
    classes: float = 0.5
    moments: float = 0.5
    shown: float = 1.0
    boxes: float = 0.2
    smooth: float = 0.05


class Lesson(nn.Module):
    """The three networks, of which the video network looks, and what only training needs: temperatures and heads on the
    side."""

    def __init__(
        self, audio: AudioNetConfig, video: VideoNetConfig, text: TextNetConfig, config: LessonConfig
    ) -> None:
        super().__init__()
        self.config = config
        self.audio, self.video, self.text = AudioNet(audio), VideoNet(video), TextNet(text)
        self.log_scale = nn.Parameter(torch.full((2,), float(np.log(10))))
        self.seen_material = nn.Linear(2 * video.width, len(MATERIALS))
        self.seen_action = nn.Linear(2 * video.width, len(ACTIONS))
        self.shown_material = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(self.video.look.config.d, len(MATERIALS))
        )
        self.heard_moment = nn.Conv1d(audio.width, 1, 1)
        self.seen_moment = nn.Conv1d(video.width, 1, 1)

    def losses(self, batch: dict[str, Any], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch as `encoder_batches.batch_of` makes it, for `weft.training.loop`."""
        c, films = self.config, self.config.films
        mel = altered(batch["mel"], generator)
        worse = batch["spoilt"].nonzero()[:, 0]
        mel[films + worse] = spoilt(mel[worse], generator)
        heard = self.audio.steps(mel)
        windows = self.audio.embeddings(heard, 1)
        said = self.text(batch["tokens"], batch["mask"])
        scale = self.log_scale.clamp(max=float(np.log(25))).exp()
        kind = batch["material"] * len(ACTIONS) + batch["action"]
        out = {"text": symmetric(summary(windows.float()), said.float(), kind, scale[0])}
        material, action = self.audio.classes(heard)
        named = [(material, batch["material"]), (action, batch["action"])]
        out["heard"] = sum((_named(x, y, c.smooth) for x, y in named), torch.zeros(()))
        out["moment heard"] = _moments(self.heard_moment(heard), batch["moments"], batch["audible"])
        film = batch["cells"]
        seen = self.video.steps(film, batch["looks"], c.look)
        sights = self.video.embeddings(seen, 1)
        shown, shown_kind = slice(0, films), kind[:films]
        out["seen"] = symmetric(summary(sights.float()), said[shown].float(), shown_kind, scale[0])
        whole = pooled(seen)
        named = [(self.seen_material(whole), batch["material"][shown])]
        named += [(self.seen_action(whole), batch["action"][shown])]
        out["named"] = sum((_named(x, y, c.smooth) for x, y in named), torch.zeros(()))
        at = batch["start"][:, None] + torch.arange(c.steps, device=film.device)
        own = batch["moments"][shown].gather(1, at)
        out["moment seen"] = _moments(self.seen_moment(seen), own, torch.ones_like(own[:, 0]))
        then = at[:, : sights.shape[1], None].expand(-1, -1, windows.shape[2])
        sound, twin = (windows[k : k + films].gather(1, then) for k in (0, films))
        active = own.unfold(1, self.audio.config.window, 1)[..., 1:-1].amax(-1) > 0
        out["sync"] = synchrony(sights, sound, twin, shown_kind, active, scale[1])
        look, log_weight = self.video.look(batch["stills"], None)
        out["shown"] = _named(self.shown_material(look), batch["shown"], c.smooth)
        inside = batch["inside"]
        out["where"] = -(inside * log_weight).sum((1, 2)).mean()
        weights = {"text": c.text, "seen": c.said_of_picture, "sync": c.sync, "heard": c.classes}
        weights |= {"shown": c.shown, "where": c.boxes}
        weights |= {"named": c.classes, "moment heard": c.moments, "moment seen": c.moments}
        out["loss"] = sum((w * out[k] for k, w in weights.items()), torch.zeros(()))
        return out | {"scale text": scale[0], "scale sync": scale[1]}


def _named(logits: Tensor, label: Tensor, smooth: float) -> Tensor:
    return F.cross_entropy(logits.float(), label, label_smoothing=smooth)


def _moments(logits: Tensor, share: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy of "a contact falls into this step", over clips where it is known."""
    each = F.binary_cross_entropy_with_logits(
        logits[:, 0].float(), share, reduction="none", pos_weight=share.new_tensor(3.0)
    )
    return (each.mean(1) * known).sum() / known.sum().clamp_min(1)
