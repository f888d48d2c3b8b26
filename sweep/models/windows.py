"""Kernels and pools as windows that slide over a feature map: whether they fit, how often."""

from __future__ import annotations

from sweep.errors import ModelError

Shape = tuple[int, ...]


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """Return height and width from one number for both, or from a pair."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def slide(
    shape: Shape, window: tuple[int, int], strides: tuple[int, int], padding: str
) -> tuple[int, int]:
    """Return the number of window positions, by Keras's rules (``same``: padded as needed)."""
    if padding == "same":
        return -(-shape[0] // strides[0]), -(-shape[1] // strides[1])
    return (shape[0] - window[0]) // strides[0] + 1, (shape[1] - window[1]) // strides[1] + 1


def check_fit(
    name: str, what: str, window: tuple[int, int], shape: Shape, *, padding: str, remedy: str
) -> None:
    """Check that a kernel or pool fits (height, width, channels); the message ends in remedy."""
    if len(shape) != 3:
        raise ModelError(
            f"layer {name}: a {what} needs rows of shape (height, width, channels), got {shape}; "
            f"put a Reshape before it"
        )
    if padding == "valid" and (window[0] > shape[0] or window[1] > shape[1]):
        raise ModelError(
            f"layer {name}: a {window[0]}x{window[1]} {what} does not fit its "
            f"{shape[0]}x{shape[1]} input; {remedy}"
        )


def check_positive(name: str, parameter: str, *values: int) -> None:
    """Check that sizes are at least 1."""
    for value in values:
        if value < 1:
            raise ModelError(f"layer {name}: {parameter} must be at least 1, got {value}")


def check_padding(name: str, padding: str) -> None:
    """Check that the padding is one that Keras knows."""
    if padding not in {"valid", "same"}:
        raise ModelError(f'layer {name}: padding must be "same" or "valid", got "{padding}"')
