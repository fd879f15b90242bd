"""The table of noise levels: identities, and the numbers of diffusers' DDIMScheduler 0.42.1 (eta 0, no clipping)."""

from __future__ import annotations

import pytest
import torch

from weft.diffusion.ddpm import AUDIO_LDM, Ddpm, NoiseSchedule, Prediction
from weft.diffusion.sampler import sample

# diffusers: scaled_linear 0.0015..0.0195, steps_offset 1, leading; 30 steps.
LEVELS = [*range(958, 0, -33), 0]
ALPHA_BAR = {
    0: 0.9984999895,
    1: 0.9969944357,
    34: 0.9442707300,
    500: 0.1149219796,
    958: 3.116898879e-4,
    999: 1.423038629e-4,
}
# What six numbers sin(0), ..., sin(5) become by the "network" of `_network`.
GOLDEN: dict[tuple[Prediction, bool, int], list[float]] = {
    ("eps", False, 30): [-0.666842, 3.665358, 3.683232, -0.666124, -0.668004, -0.668427],
    ("eps", False, 4): [-2.138119, 4.311088, 4.621367, -0.613711, -0.599361, -0.600373],
    ("eps", True, 30): [-0.659088, 3.668119, 3.684942, -0.658408, -0.660188, -0.66059],
    ("v", False, 30): [-0.422691, 0.993421, 1.11507, -0.40144, -0.473967, -0.485212],
    ("v", True, 30): [-0.428001, 1.011055, 1.132549, -0.407969, -0.476237, -0.486803],
    ("v", True, 4): [-0.393732, 0.514005, 0.629801, -0.400014, -0.378353, -0.37691],
}


def test_levels_are_diffusers() -> None:
    process = Ddpm()
    times = process.timesteps(30)
    assert process.level(times).tolist() == LEVELS
    assert bool((times.diff() > 0).all())
    assert Ddpm(to_data=True).timesteps(30)[-1] == 1
    assert process.level(torch.tensor([0.0, 1.0])).tolist() == [999, -1]


def test_alpha_bar_is_diffusers_and_exact_at_the_data() -> None:
    process, levels = Ddpm(), torch.tensor(list(ALPHA_BAR))
    found = process.alpha_bar((999 - levels) / 1000)
    torch.testing.assert_close(
        found, torch.tensor(list(ALPHA_BAR.values()), dtype=torch.float64), rtol=5e-6, atol=0
    )
    assert float(process.alpha_bar(torch.tensor([1.0]))) == 1


@pytest.mark.parametrize(("predicts", "to_data", "steps"), list(GOLDEN))
def test_sampler_on_it_is_diffusers_ddim(predicts: Prediction, to_data: bool, steps: int) -> None:
    process = Ddpm(predicts=predicts, to_data=to_data)

    def network(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.cos(3 * z) * 0.5 + z * (process.level(t)[:, None] / 1000)

    out = sample(network, process, torch.sin(torch.arange(6.0))[None], steps)[0]
    torch.testing.assert_close(out, torch.tensor(GOLDEN[predicts, to_data, steps]), atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("predicts", ["eps", "v"])
@pytest.mark.parametrize("scaled", [True, False])
def test_process_gives_back_what_was_mixed(predicts: Prediction, scaled: bool) -> None:
    process = Ddpm(NoiseSchedule(levels=50, scaled=scaled), predicts=predicts)
    x, e = torch.randn(2, 4, 5, 3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    t = torch.tensor([0.0, 0.3, 0.9, 1.0])
    z, out = process.noise(x, e, t), process.target(x, e, t)
    torch.testing.assert_close(process.x0(z, t, out), x)
    torch.testing.assert_close(process.eps(z, t, out), e)
    torch.testing.assert_close(z[3], x[3])


def test_v_is_the_derivative_by_the_angle() -> None:
    """Salimans & Ho: with √ᾱ = cos φ, v = dz / dφ; so at data it is the noise."""
    process = Ddpm(predicts="v")
    x, e = torch.tensor([[2.0]]), torch.tensor([[-3.0]])
    assert float(process.target(x, e, torch.tensor([1.0]))) == -3
    kept = float(process.alpha_bar(torch.tensor([0.5])))
    wanted = kept**0.5 * -3 - (1 - kept) ** 0.5 * 2
    assert float(process.target(x, e, torch.tensor([0.5]))) == pytest.approx(wanted, rel=1e-6)


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="1001 sampler steps; this schedule has 1 to 1000"):
        Ddpm().timesteps(1001)
    with pytest.raises(ValueError, match="'x0' is unknown: choose eps or v"):
        Ddpm(predicts="x0")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is no schedule"):
        Ddpm(NoiseSchedule(first=0.5, last=0.1))
    assert AUDIO_LDM.levels == 1000
