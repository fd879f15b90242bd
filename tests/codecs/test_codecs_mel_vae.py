"""MMAudio's mel autoencoders against their published keys and the reference's numbers on redrawn weights."""

from __future__ import annotations

import pytest
import torch
from redrawn import assert_golden, drawn, keys, published, shapes_of

from weft.codecs.mel_vae import (
    MEL_VAE_16K,
    MEL_VAE_44K,
    TINY_MEL_VAE,
    MelVae,
    MelVaeConfig,
    Posterior,
    folded,
)

PUBLISHED = {"16k": MEL_VAE_16K, "44k": MEL_VAE_44K}


@pytest.fixture(scope="module")
def tiny() -> MelVae:
    net = MelVae(TINY_MEL_VAE)
    net.load_state_dict(folded(published(shapes_of(net))))
    return net.eval().requires_grad_(False)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_keys_and_shapes_are_the_published_ones(name: str) -> None:
    with torch.device("meta"):
        assert shapes_of(MelVae(PUBLISHED[name])) == keys(f"vae_{name}")
        bare = shapes_of(MelVae(PUBLISHED[name], encoder=False))
    assert bare == {k: v for k, v in keys(f"vae_{name}").items() if not k.startswith("encoder.")}


def test_tiny_gives_the_references_numbers(tiny: MelVae) -> None:
    posterior = tiny.encode(drawn("in.mel", 2, 80, 24))
    assert_golden(posterior.mean, "tiny_encode_mean", 1e-4)
    assert_golden(posterior.log_variance, "tiny_encode_log_variance", 1e-4)
    assert_golden(tiny.decode(drawn("in.latent", 2, 20, 12)), "tiny_decode", 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_sizes_give_the_references_numbers(name: str) -> None:
    config: MelVaeConfig = PUBLISHED[name]
    with torch.device("meta"):
        net = MelVae(config)
    net.load_state_dict(folded(published(keys(f"vae_{name}"), plain_data=True)), assign=True)
    with torch.inference_mode():
        assert_golden(net.encode(drawn("in.mel", 1, config.bands, 64)).mean, f"vae_encode_mode_{name}", 1e-4)
        assert_golden(net.decode(drawn("in.latent", 1, config.latent, 32)), f"vae_decode_{name}", 1e-4)


def test_the_gain_that_was_learnt_scales_what_comes_out(tiny: MelVae) -> None:
    latent = drawn("in.latent", 1, 20, 4)
    once = (tiny.decode(latent) - tiny.data_mean) / tiny.data_std
    gain = tiny.decoder.learnable_gain
    old = float(gain)
    gain.fill_(2 * (1 + old) - 1)
    twice = (tiny.decode(latent) - tiny.data_mean) / tiny.data_std
    gain.fill_(old)
    torch.testing.assert_close(twice, 2 * once)


def test_log_variances_are_held_to_what_can_be_drawn(tiny: MelVae) -> None:
    loud = tiny.encode(1e3 * drawn("in.mel", 1, 80, 4))
    assert float(loud.log_variance.abs().max()) <= 30
    gain = tiny.encoder.learnable_gain  # type: ignore[union-attr]
    old = float(gain)
    gain.fill_(1e4)
    found = tiny.encode(drawn("in.mel", 1, 80, 4)).log_variance
    gain.fill_(old)
    assert (float(found.min()), float(found.max())) == (-30.0, 20.0)


def test_a_sample_has_the_posteriors_mean_and_spread_and_depends_on_its_seed_alone() -> None:
    posterior = Posterior(mean=torch.full((1, 2, 20_000), 3.0), log_variance=torch.full((1, 2, 20_000), -2.0))
    first, again, other = (posterior.sample(torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert float(first.mean()) == pytest.approx(3.0, abs=0.02)
    assert float(first.std()) == pytest.approx(0.3679, abs=0.01)


def test_both_ways_carry_gradients(tiny: MelVae) -> None:
    mel = drawn("in.mel", 1, 80, 8).requires_grad_()
    tiny.decode(tiny.encode(mel).mean).square().sum().backward()
    assert mel.grad is not None
    assert float(mel.grad.abs().sum()) > 0


def test_folding_leaves_all_but_weights_and_reads_half_precision() -> None:
    given = {"a.weight": torch.randn(4, 3, 3).half(), "data_mean": torch.ones(1, 80, 1)}
    found = folded(given)
    assert found["data_mean"] is given["data_mean"]
    assert found["a.weight"].dtype == torch.float32
    assert torch.allclose(found["a.weight"].flatten(1).norm(dim=1), torch.ones(4), atol=1e-3)


def test_other_shapes_are_refused(tiny: MelVae) -> None:
    with pytest.raises(ValueError, match=r"mel must be \[B, 80, an even number\], not \[1, 80, 7\]"):
        tiny.encode(torch.zeros(1, 80, 7))
    with pytest.raises(ValueError, match=r"not \[1, 128, 8\]"):
        tiny.encode(torch.zeros(1, 128, 8))
    with pytest.raises(ValueError, match=r"latent must be \[B, 20, T\], not \[1, 4, 20\]"):
        tiny.decode(torch.zeros(1, 4, 20))
    with pytest.raises(ValueError, match="built without its encoder"):
        MelVae(TINY_MEL_VAE, encoder=False).encode(torch.zeros(1, 80, 8))
