"""Identities of the processes, the guidance terms and the sampler."""

from __future__ import annotations

import pytest
import torch

from weft.diffusion.guidance import ClassifierFree, Predict, guided
from weft.diffusion.process import RectifiedFlow
from weft.diffusion.sampler import frame_noise, sample


def _draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_process_gives_back_what_was_mixed() -> None:
    flow, x, e, t = RectifiedFlow(), _draw(3, 5, 2), _draw(3, 5, 2, seed=1), torch.tensor([0.0, 0.4, 1.0])
    z, out = flow.noise(x, e, t), flow.target(x, e, t)
    torch.testing.assert_close(flow.x0(z, t, out), x)
    torch.testing.assert_close(flow.eps(z, t, out), e)
    torch.testing.assert_close(z[0], e[0])
    torch.testing.assert_close(z[2], x[2])
    torch.testing.assert_close(flow.timesteps(4), torch.tensor([0, 0.25, 0.5, 0.75, 1.0]))


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_sampler_reaches_the_data_a_perfect_network_knows(steps: int) -> None:
    x, e = _draw(2, 7, 3), _draw(2, 7, 3, seed=1)
    torch.testing.assert_close(sample(lambda z, t: x - e, RectifiedFlow(), e, steps), x)


def test_sampler_is_eulers_method() -> None:
    def field(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.sin(z) + t[:, None, None]

    z = noise = _draw(2, 4, 3)
    for i in range(5):
        z = z + field(z, torch.full((2,), i / 5)) / 5
    torch.testing.assert_close(sample(field, RectifiedFlow(), noise, 5), z, atol=1e-5, rtol=1e-5)


def test_sampler_keeps_what_is_known_and_leaves_the_noise_alone() -> None:
    noise, known, mask = _draw(1, 6, 2), _draw(1, 6, 2, seed=3), torch.zeros(1, 6, 1)
    mask[:, :2] = 1
    before = noise.clone()
    out = sample(lambda z, t: -z, RectifiedFlow(), noise, 4, known=known, mask=mask)
    torch.testing.assert_close(out[:, :2], known[:, :2])
    assert not torch.allclose(out[:, 2:], known[:, 2:])
    torch.testing.assert_close(noise, before)


def test_sampler_defect_d4_small_steps_of_a_coarse_network_add_up() -> None:
    """The state in bfloat16, as in MMAudio's reference, would round every one of these steps away."""
    noise, rise = torch.ones(1, 3, 2, dtype=torch.bfloat16), 0.05
    seen: list[torch.dtype] = []

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(t.dtype)
        return torch.full_like(z, rise, dtype=torch.bfloat16)

    out = sample(predict, RectifiedFlow(), noise, 50)
    assert out.dtype == torch.float32
    assert set(seen) == {torch.float32}
    torch.testing.assert_close(out, torch.full((1, 3, 2), 1 + float(torch.tensor(rise).bfloat16())))
    assert float(noise[0, 0, 0] + rise / 50) == 1


def test_sampler_refuses_no_steps() -> None:
    with pytest.raises(ValueError, match="0 sampler steps"):
        sample(lambda z, t: z, RectifiedFlow(), _draw(1, 2, 2), 0)


def test_noise_of_a_frame_depends_on_its_place_only() -> None:
    whole = frame_noise(7, 0, 0, 300, 4)
    torch.testing.assert_close(frame_noise(7, 0, 130, 75, 4), whole[130:205], atol=0, rtol=0)
    assert frame_noise(7, 0, 64, 64, 4).shape == (64, 4)
    assert not torch.equal(frame_noise(7, 1, 0, 300, 4), whole)
    assert not torch.equal(frame_noise(8, 0, 0, 300, 4), whole)
    assert abs(float(whole.std()) - 1) < 0.1


def test_guidance_scale_one_is_off_and_asks_for_nothing_else() -> None:
    assert ClassifierFree().needs == ("cond",)
    predict = guided(ClassifierFree(scale=1.0), {"cond": lambda z, t: z})
    assert float(predict(torch.tensor(2.0), torch.tensor(0.0))) == 2
    cond, uncond = torch.tensor(3.0), torch.tensor(1.0)
    assert float(ClassifierFree(scale=2.5)({"cond": cond, "uncond": uncond})) == 6
    assert float(ClassifierFree(scale=0.0)({"cond": cond, "uncond": uncond})) == 1


def test_guidance_names_the_missing_prediction() -> None:
    with pytest.raises(KeyError, match="uncond"):
        guided(ClassifierFree(scale=2.0), {"cond": lambda z, t: z})


def test_guidance_is_off_before_its_time_and_asks_for_less() -> None:
    asked: list[str] = []

    def told(name: str, value: float) -> Predict:
        def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            asked.append(name)
            return z * 0 + value

        return predict

    predict = guided(
        ClassifierFree(scale=2.5, since=0.25), {"cond": told("cond", 3), "uncond": told("not", 1)}
    )
    z = torch.zeros(2, 1)
    for t, wanted, names in ((0.0, 3.0, ["cond"]), (0.2, 3.0, ["cond"]), (0.25, 6.0, ["cond", "not"])):
        asked.clear()
        assert predict(z, torch.tensor(t).expand(2)).tolist() == [[wanted]] * 2
        assert asked == names
    assert predict(z, torch.tensor([0.3, 0.9])).tolist() == [[6.0]] * 2
    with pytest.raises(ValueError, match="guidance is one for all items"):
        predict(z, torch.tensor([0.1, 0.9]))
    with pytest.raises(ValueError, match=r"guidance since 1\.5; give a time from 0"):
        ClassifierFree(scale=2.0, since=1.5)


def test_rescaled_guidance_has_the_spread_of_what_was_told_item_by_item() -> None:
    draw = torch.Generator().manual_seed(0)
    cond, uncond = torch.randn(2, 3, 9, 4, generator=draw)
    cond[1] *= 5
    plain = ClassifierFree(scale=3.0)({"cond": cond, "uncond": uncond})
    for part, wanted in (
        (1.0, cond.flatten(1).std(1)),
        (0.5, (cond.flatten(1).std(1) + plain.flatten(1).std(1)) / 2),
    ):
        led = ClassifierFree(scale=3.0, rescale=part)({"cond": cond, "uncond": uncond})
        torch.testing.assert_close(led.flatten(1).std(1), wanted)
        assert torch.cosine_similarity(led.flatten(1), plain.flatten(1)).min() > 0.9999
        alone = ClassifierFree(scale=3.0, rescale=part)({"cond": cond[1:2], "uncond": uncond[1:2]})
        torch.testing.assert_close(alone, led[1:2])
    zeros = torch.zeros(1, 4, 2)
    assert ClassifierFree(scale=3.0, rescale=1.0)({"cond": zeros, "uncond": zeros}).isfinite().all()
    assert ClassifierFree(scale=3.0, rescale=0.7, since=0.2).at(0.5).rescale == 0.7
    with pytest.raises(ValueError, match=r"guidance rescaled by 2\.0; give 0"):
        ClassifierFree(scale=2.0, rescale=2.0)
