"""The table of embedders says of each what the embedder itself says, and our own one gives every row it can."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from evaluation_toys import RATE, clicks
from torch import nn

from weft.errors import WeightsError
from weft.evaluation.embedders import EMBEDDERS
from weft.evaluation.result import Evaluation


def said() -> dict[str, str]:
    from weft.encoders.cnn14 import CNN14_16K, CNN14_32K, Cnn14
    from weft.encoders.diff_foley import DiffFoleyJudge
    from weft.encoders.imagebind import ImageBind
    from weft.encoders.laion_clap import LaionClap
    from weft.encoders.log_mel_statistics import LogMelStatistics
    from weft.encoders.melception import Melception
    from weft.encoders.ms_clap import MsClap
    from weft.encoders.own import WeftEncoders
    from weft.encoders.passt import Passt
    from weft.encoders.synchformer import Synchformer
    from weft.encoders.vggish import Vggish
    from weft.evaluation.judges import VggishI3d

    bare = nn.Identity()
    made = (
        WeftEncoders.load(),
        LogMelStatistics(),
        Vggish,
        Cnn14(bare, config=CNN14_16K, name="cnn14-16k", sha256=""),
        Cnn14(bare, config=CNN14_32K, name="cnn14-32k", sha256=""),
        Passt(bare, sha256=""),
        Passt(bare, sha256="", compat="av-benchmark"),
        Melception,
        LaionClap(bare, name="laion-clap-audio"),
        LaionClap(bare, name="laion-clap-audio", compat="fadtk"),
        LaionClap(bare, name="laion-clap-music-speech"),
        MsClap(bare),
        MsClap(bare, compat="fadtk"),
        ImageBind,
        VggishI3d,
        Synchformer,
        DiffFoleyJudge,
    )
    ways = {id(e): getattr(e, "compat", "strict") for e in made}
    return {e.name + f"-{ways[id(e)]}" * (ways[id(e)] != "strict"): e.windows for e in made}


def test_windows_are_told_as_the_embedders_tell_them() -> None:
    assert {name: spec.windows for name, spec in EMBEDDERS.items()} == said()


@pytest.mark.parametrize("name", [n for n in EMBEDDERS if n not in ("weft", "log-mel-statistics")])
def test_a_published_one_says_which_file_it_lacks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no .* in .*licence: .*put it there"):
        EMBEDDERS[name].sha256()


def test_all_files_that_one_lacks_are_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets the first file named should not be sent away again for the next."""
    from weft.evaluation.leaving_out import hashes

    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    _, missing = hashes([EMBEDDERS[n] for n in ("vggish", "vggish-i3d", "laion-clap-audio")], strict=False)
    assert "no vggish-10086976.pth" in missing["vggish"]
    for file in ("vggish-10086976.pth", "vggish_pca_params", "i3d_rgb.pt", "i3d_flow.pt"):
        assert file in missing["vggish-i3d"]
    assert missing["vggish-i3d"].startswith(f"4 files are not in {tmp_path}: get ")
    assert missing["laion-clap-audio"].count("licence: ") == 2
    with pytest.raises(WeightsError, match=r"2 files are not in .*roberta-base/tokenizer.json"):
        hashes([EMBEDDERS["laion-clap-audio"]], strict=True)


def film(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        for _ in range(50):
            picture = rng.integers(0, 255, (9, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())


def test_our_own_hears_sees_and_reads(tmp_path: Path, run: Callable[..., Evaluation]) -> None:
    rows = ["reference,predicted,video,text"]
    for k in range(3):
        soundfile.write(tmp_path / f"true{k}.wav", clicks(k, seconds=2.0), RATE)
        soundfile.write(tmp_path / f"made{k}.wav", clicks(k + 5, seconds=2.0), RATE)
        film(tmp_path / f"film{k}.mp4", k)
        rows.append(f"true{k}.wav,made{k}.wav,film{k}.mp4,a stick hits {('wood', 'metal', 'glass')[k]}")
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    names = ("frechet", "kernel", "kl", "isc", "cosine-aa", "cosine-ta", "cosine-va", "in-step")
    found = run(tmp_path / "pairs.csv", metrics=names)
    assert found.ok, found.to_json()
    for name in names:
        value = found.score(f"{name}/weft").value
        assert value is not None and np.isfinite(value), name
    assert -1 <= found.score("cosine-va/weft").value <= 1
    assert found.score("frechet/weft").value > 0
    json.dumps(found.to_json())


def test_a_warm_run_loads_no_network(tmp_path: Path, run: Callable[..., Evaluation]) -> None:
    for side, seed in (("true", 0), ("made", 5)):
        (tmp_path / side).mkdir()
        for k in range(2):
            soundfile.write(tmp_path / side / f"{k}.wav", clicks(seed + k), RATE)
    names = ["frechet", "cosine-aa", "mel"]
    run(tmp_path / "true", tmp_path / "made", metrics=names)
    code = (
        "import sys; from pathlib import Path; from weft.evaluation.run import evaluate;"
        f"e = evaluate({str(tmp_path / 'true')!r}, {str(tmp_path / 'made')!r}, metrics={names!r},"
        f" cache=Path({str(tmp_path / 'cache')!r}));"
        "print(e.ok, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
