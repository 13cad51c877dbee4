"""Sound files as log-mel spectrograms."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

import numpy as np

from superpose.columns import UNKNOWN_FRAMES, is_stream, readable_sound, require_regular
from superpose.errors import MissingExtraError

WINDOW, HOP = 0.025, 0.010  # seconds, as is usual for speech
QUIET = 1e-6  # power below it is silence
MOST_SECONDS = 3600.0  # of a file that is opened at all
CACHED = 4096  # spectrograms kept, 16 kB each: importance and trees read the same files again


def require_soundfile(column: str) -> None:
    """Raise MissingExtraError where soundfile is not installed."""
    try:
        import soundfile  # noqa: F401
    except ImportError:
        purpose = f"reading sounds of column {column!r}"
        raise MissingExtraError("soundfile", "audio", purpose) from None


def seconds_of(path: str) -> float:
    """Length of a sound file, 0 where it can't be read: reading it says why."""
    import soundfile

    try:
        require_regular(path)
        info = soundfile.info(readable_sound(path))
    except (OSError, RuntimeError):
        return 0.0
    return float(info.duration) if info.frames < UNKNOWN_FRAMES else 0.0


def wave(path: str, rate: int, seconds: float) -> np.ndarray:
    """Read the first seconds of a file as one channel at a rate.

    A WAV file that was written as a stream, without its length, is read to its end.

    Raises:
        ValueError: no sound, one that breaks off, or one that is too long.
        RuntimeError, OSError: no sound file, or none that can be opened.
    """
    import soundfile  # an extra: only tables with sounds need it
    from scipy.signal import resample_poly  # takes half a second to load, and only sounds need it

    require_regular(path)
    info = soundfile.info(readable_sound(path), verbose=True)
    # A header that promises more than the file holds: libsndfile reads on without a word.
    cut = re.search(r"(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)", info.extra_info)
    if cut and int(cut[1]) > int(cut[2]) and not is_stream(path):
        raise ValueError(f"it breaks off: {cut[2]} of {cut[1]} bytes of sound are there")
    if not info.frames:
        raise ValueError("there is no sound in it")
    if info.frames >= UNKNOWN_FRAMES:  # soundfile can't read to the end of these
        raise ValueError("its head does not tell its length; convert it to WAV, or write it anew")
    if info.duration > MOST_SECONDS:
        raise ValueError(f"{info.duration:.0f} seconds, more than {MOST_SECONDS:.0f}")
    wanted = int(np.ceil(seconds * info.samplerate))
    content = readable_sound(path)
    sound, own = soundfile.read(content, frames=wanted, dtype="float32", always_2d=True)
    if len(sound) < min(wanted, info.frames):
        raise ValueError(f"it breaks off: {len(sound)} of {info.frames} samples can be read")
    sound = np.nan_to_num(sound.mean(axis=1))
    if own != rate:
        common = int(np.gcd(own, rate))
        sound = resample_poly(sound, rate // common, own // common)
    return np.asarray(sound, np.float32)


@lru_cache
def mel_filters(rate: int, bins: int, mels: int) -> np.ndarray:
    """Triangles (bins, mels) that sum a power spectrum into bands of equal width on the mel scale.

    Example:
        >>> mel_filters(16000, 201, 40).shape
        (201, 40)

    Source:
        O'Shaughnessy 1987, ``mel = 2595 log10(1 + f / 700)``; triangles of height 1 as of HTK.
    """
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)
    frequency = np.linspace(0, rate / 2, bins)[:, None]
    low = edges[:-2]
    middle = edges[1:-1]
    high = edges[2:]
    rising = (frequency - low) / (middle - low)
    falling = (high - frequency) / (high - middle)
    filters = np.maximum(np.minimum(rising, falling), 0.0)
    # A band narrower than a bin of the spectrum would hear nothing: it takes the nearest bin.
    empty = filters.max(axis=0) == 0
    filters[np.abs(frequency - middle).argmin(axis=0)[empty], np.flatnonzero(empty)] = 1.0
    return filters.astype(np.float32)


def frames_of(seconds: float) -> int:
    """Frames of a spectrogram of so many seconds."""
    return max(1, round(seconds / HOP))


def log_mel(sound: np.ndarray, rate: int, *, seconds: float, mels: int) -> np.ndarray:
    """Log power in bands of pitch over time, (T, mels); silence follows where the sound ends.

    Example:
        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
        >>> power = log_mel(tone, 8000, seconds=1.0, mels=20)
        >>> power.shape, int(power.mean(axis=0).argmax())
        ((100, 20), 9)
    """
    n_samples = int(WINDOW * rate)
    hop = int(HOP * rate)
    frames = frames_of(seconds)
    padded = np.zeros((frames - 1) * hop + n_samples, np.float32)
    kept = sound[: len(padded)]
    padded[: len(kept)] = kept
    windows = np.lib.stride_tricks.sliding_window_view(padded, n_samples)[::hop]
    spectrum = (
        np.abs(np.fft.rfft(windows * np.hanning(n_samples + 1)[:-1], axis=1)) ** 2 / n_samples
    )
    power = spectrum @ mel_filters(rate, spectrum.shape[1], mels)
    return np.log(power + QUIET).astype(np.float32)


@lru_cache(maxsize=CACHED)
def spectrogram(path: str, changed: int, *, rate: int, seconds: float, mels: int) -> np.ndarray:
    """Read one file as a log-mel spectrogram; ``changed`` is its time stamp, a part of the key.

    Raises:
        ValueError, RuntimeError, OSError: as ``wave``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return log_mel(wave(path, rate, seconds), rate, seconds=seconds, mels=mels)
