"""Render the silent sample that comes with weft: one clip of the world, its sound left out.

python recipes/make_sample.py --domain hits --seed 31 --out src/weft/samples/sample.mp4
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av

from weft.media import written_aside
from weft.world.clip import render_clip
from weft.world.scene import sample_scene


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domain", default="hits")
    parser.add_argument("--material", default=None)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--duration", type=float, default=6.0)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--out", type=Path, default=Path("src/weft/samples/sample.mp4"))
    args = parser.parse_args()
    scene = sample_scene(args.domain, args.seed, duration=args.duration, fps=25.0, material=args.material)
    clip = render_clip(scene, size=(args.width, args.height), sound=False)
    assert clip.frames is not None
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(args.out, overwrite=True) as aside, av.open(str(aside), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(clip.fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = args.width, args.height, "yuv420p"
        stream.options = {"crf": "26", "preset": "slow"}
        for frame in clip.frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    print(args.out, args.out.stat().st_size, clip.material, clip.action, [round(e.t, 2) for e in clip.events])


if __name__ == "__main__":
    main()
