"""librosa's compiled parts, loaded by several processes at once."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("librosa")

HEAR = """
import numpy as np
from weft.media.compiled import librosa
wave = np.zeros(22050, np.float32)
wave[[5000, 12000]] = 1
print(len(librosa().onset.onset_detect(y=wave, sr=22050)))
"""


@pytest.mark.slow
def test_processes_that_fill_an_empty_cache_at_once_leave_it_whole(tmp_path):
    """Without the lock, numba's cache was mixed up in half of the tries, and all later processes died of it."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def started() -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", HEAR], env=environment, stdout=subprocess.PIPE, text=True
        )

    together = [started(), started()]
    heard = [process.communicate()[0] for process in (*together, started())]
    assert heard == ["2\n"] * 3
    assert list(tmp_path.rglob("*.nbi"))
