"""The renderer's promises: exact times, absolute levels, independence of events, blocks equal to the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.errors import UserError
from weft.synthesis import SoundEvent, render, render_blocks
from weft.synthesis.room import choose_room, rooms

RATE = 44100


def first_energy(wave: np.ndarray) -> float:
    """Seconds of the first sample above -40 dB of the peak, either ear."""
    loud = np.abs(wave).max(axis=0)
    return float(np.argmax(loud > 0.01 * loud.max())) / RATE


def mixed_events() -> list[SoundEvent]:
    return [
        SoundEvent(t=0.2, material="metal", strength=0.8, pan=-0.6),
        SoundEvent(t=0.7, material="gravel", action="step", strength=0.5, pan=0.3, depth=0.6),
        SoundEvent(t=0.9, material="wood", action="scratch", duration=1.9, pan_curve=np.array([-1.0, 1.0])),
        SoundEvent(t=1.5, material="water", strength=0.4),
        SoundEvent(t=2.4, material="glass", action="bounce", strength=0.3, depth=0.9),
    ]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("material", MATERIALS)
def test_every_material_and_action_starts_on_time_and_stays_below_full_scale(
    material: str, action: str
) -> None:
    event = SoundEvent(t=0.1, material=material, action=action, duration=0.3, gain_curve=np.ones(2), pan=0.5)
    wave = render([event], 0.5, seed=1, room=None)
    assert wave.shape == (2, 22050) and wave.dtype == np.float32
    assert np.abs(wave[:, : round(0.1 * RATE)]).max() == 0
    assert 0 <= first_energy(wave) - 0.1 < (0.004 if event.sustained else 0.001)
    assert 0.02 < np.abs(wave).max() < 0.75


def test_a_full_metal_hit_peaks_near_minus_six_decibels() -> None:
    peaks = [
        20 * np.log10(np.abs(render([SoundEvent(t=0.0, material="metal")], 0.5, seed=seed, room=None)).max())
        for seed in range(8)
    ]
    assert all(-7.5 < peak < -4.5 for peak in peaks)


def test_blocks_are_the_whole_bit_for_bit() -> None:
    whole = render(mixed_events(), 3.3, seed=4, room="kitchen")
    for block in (1000, 2**15, 2**17):
        parts = list(render_blocks(mixed_events(), 3.3, seed=4, room="kitchen", block=block))
        assert all(part.shape[1] == block for part in parts[:-1])
        assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_changing_one_event_leaves_the_samples_before_it_and_the_others_alone() -> None:
    events = mixed_events()
    before = render(events, 3.0, seed=9, room="bedroom")
    moved = [*events[:3], replace(events[3], t=1.6, material="carpet"), events[4]]
    after = render(moved, 3.0, seed=9, room="bedroom")
    n = round(1.5 * RATE)
    assert np.array_equal(before[:, :n], after[:, :n])
    # What remains when the changed event is taken out of both is the same.
    others = render([*events[:3], events[4]], 3.0, seed=9, room="bedroom")
    alone = [render([e[3]], 3.0, seed=9, room="bedroom") for e in (events, moved)]
    assert np.abs(before - alone[0] - others).max() < 1e-6
    assert np.abs(after - alone[1] - others).max() < 1e-6
    assert np.abs(alone[0] - alone[1]).max() > 0.01


def test_order_of_the_list_does_not_matter_beyond_rounding() -> None:
    forward = render(mixed_events(), 3.0, seed=2)
    assert np.abs(forward - render(mixed_events()[::-1], 3.0, seed=2)).max() < 1e-6


def test_strength_sets_loudness_and_brightness() -> None:
    def loud_and_bright(strength: float) -> tuple[float, float]:
        wave = render([SoundEvent(t=0, material="wood", strength=strength)], 0.4, seed=3, room=None)[0]
        power = np.abs(np.fft.rfft(wave)) ** 2
        return float(np.abs(wave).max()), float((power * np.arange(len(power))).sum() / power.sum())

    soft, hard = loud_and_bright(0.1), loud_and_bright(1.0)
    assert 8 < hard[0] / soft[0] < 12
    assert hard[1] > 1.1 * soft[1]


def test_pan_is_heard_and_mirrors() -> None:
    def level_difference(pan: float) -> float:
        wave = render([SoundEvent(t=0, material="rock", pan=pan)], 0.3, seed=5, room=None)
        energy = (wave.astype(float) ** 2).sum(axis=1)
        return float(10 * np.log10(energy[1] / energy[0]))

    differences = [level_difference(pan) for pan in (-1.0, -0.4, 0.0, 0.4, 1.0)]
    assert np.all(np.diff(differences) > 3)
    assert np.allclose(differences, [-d for d in differences[::-1]], atol=0.05)


def test_a_scratch_follows_its_gain_curve_and_moves() -> None:
    curve = np.array([0.1, 1.0, 0.1, 1.0, 0.1])
    event = SoundEvent(
        t=0, material="rock", action="scratch", duration=4, gain_curve=curve, pan_curve=np.array([-1.0, 1.0])
    )
    wave = render([event], 4.0, seed=1, room=None)
    rms = np.sqrt((wave.reshape(2, 40, -1) ** 2).mean(axis=2))
    wanted = np.interp((np.arange(40) + 0.5) / 40, np.linspace(0, 1, 5), curve)
    assert np.corrcoef(rms.max(axis=0), wanted)[0, 1] > 0.9
    assert rms[0, :10].sum() > 2 * rms[1, :10].sum()
    assert rms[1, 30:].sum() > 2 * rms[0, 30:].sum()


def test_depth_is_quieter_and_roomier() -> None:
    def level(depth: float, room: str | None) -> float:
        wave = render([SoundEvent(t=0, material="wood", depth=depth)], 1.0, seed=5, room=room)
        return float(10 * np.log10((wave**2).mean()))

    assert level(0.1, None) - level(0.9, None) > 10
    assert level(0.9, "stairwell") - level(0.9, None) > level(0.1, "stairwell") - level(0.1, None) + 2


def test_same_seed_same_sound_other_seed_other_object() -> None:
    events = [SoundEvent(t=0, material="metal")]
    one, again, other = (render(events, 0.5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.allclose(one, other, atol=1e-3)


def test_a_track_keeps_its_object_and_another_has_its_own() -> None:
    def spectrum(t: float, track: str) -> np.ndarray:
        wave = render([SoundEvent(t=t, material="metal", track=track)], 3.0, seed=1, room=None)[0]
        return np.log(np.abs(np.fft.rfft(wave[round(t * RATE) : round(t * RATE) + 65536])) + 1e-3)

    same = np.corrcoef(spectrum(0.1, "a"), spectrum(0.6, "a"))[0, 1]
    different = np.corrcoef(spectrum(0.1, "a"), spectrum(0.6, "b"))[0, 1]
    assert same > different + 0.15


def test_length_is_rounded_and_events_outside_are_silent() -> None:
    wave = render([SoundEvent(t=5.0)], 0.10001, seed=1)
    assert wave.shape[1] == round(0.10001 * RATE) and not wave.any()
    assert render([], 0.1, seed=1).shape[1] == 4410


def test_rooms_are_there_and_auto_is_dry() -> None:
    assert len(rooms()) >= 12
    assert {choose_room("auto", seed) for seed in range(40)} <= {n for n, t60 in rooms().items() if t60 < 0.5}
    assert choose_room(None, 1) is None


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="unknown material 'cheese'"):
        SoundEvent(t=0, material="cheese")
    with pytest.raises(UserError, match="unknown action 'sing'"):
        SoundEvent(t=0, action="sing")
    with pytest.raises(UserError, match="pan 3"):
        SoundEvent(t=0, pan=3)
    with pytest.raises(UserError, match="unknown room 'moon'"):
        render([], 1.0, seed=1, room="moon")
    with pytest.raises(UserError, match="duration"):
        render([], 0.0, seed=1)
    with pytest.raises(UserError, match="gain_curve"):
        SoundEvent(t=0, gain_curve=np.array([0.0, np.nan]))
