"""The common style of all figures, and their conversion to SVG.

Figures are drawn in placeholder colours, which :func:`to_svg` replaces by CSS variables of the
page, so that one drawing works in the light and the dark theme.
"""

from __future__ import annotations

import io
import re
import warnings
from math import ceil
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FG, MUTED, RULE, PAPER, ACCENT, GHOST = (f"#0{n}0{n}0{n}" for n in range(1, 7))
SERIES = tuple(f"#0a0a0{n}" for n in range(1, 6))
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)))
VARIABLES = {
    FG: "var(--fg)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    PAPER: "var(--bg)",
    ACCENT: "var(--accent)",
    GHOST: "var(--ghost)",
    **{colour: f"var(--s{n})" for n, colour in enumerate(SERIES, start=1)},
}
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sweep",
    "text.parse_math": False,
    "font.size": 11.0,
    "axes.unicode_minus": False,
    "path.simplify": False,
}
DROPPED = {"style", "id", "font-family", "version", "width", "height"}
NUMBER = re.compile(r"-?\d+\.\d+")
WIDE = 50  # beyond this factor, ticks at powers of ten only
LABEL_WIDTH = 6.5  # approximate width of a character of 11 px text
LEAST = 4  # shortest label in characters, with the gap beside it


def paper(
    width: int = 420, height: int = 250, *, score: str = "", x: str = ""
) -> tuple[Figure, Axes]:
    """Return an empty figure with one pair of axes.

    Parameters
    ----------
    width, height : int
        Size in CSS pixels.
    score : str, default ""
        Title of the vertical axis, written horizontally above it.
    x : str, default ""
        Title of the horizontal axis.

    Returns
    -------
    tuple of Figure and Axes
        In placeholder colours: only for :func:`to_svg`.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(width / 72, height / 72), facecolor="none")
        sides = (46 / width, 38 / height, (width - 58) / width, (height - 64) / height)
        axes = figure.add_axes(sides, facecolor="none")
    _style(axes)
    axes.set_title(shorten(score, 60), loc="left", color=MUTED, fontsize=11, pad=9)
    axes.set_xlabel(shorten(x, 60), color=MUTED, fontsize=11, loc="right", labelpad=3)
    return figure, axes


def to_svg(figure: Figure, prefix: str, title: str, description: str) -> str:
    """Return a figure as an SVG element that a strict content security policy allows.

    Parameters
    ----------
    figure : Figure
        Drawn on :func:`paper`.
    prefix : str
        Prefix of every id, so that a page can have several figures.
    title, description : str
        For screen readers.

    Returns
    -------
    str
        One ``svg`` element without style attributes, fixed size and fonts; the same figure gives
        the same bytes.
    """
    root = ET.fromstring(_drawn(figure))  # noqa: S314 - matplotlib's own output
    for element in list(root.iter()):
        _clean(element)
    _hoist(root)
    _rename(root, prefix)
    _describe(root, prefix, title, description)
    return ET.tostring(root, encoding="unicode")


def shorten(text: object, length: int) -> str:
    """Return text without control or direction characters, cut to a length."""
    clean = "".join(c for c in str(text) if c.isprintable())
    return clean if len(clean) <= length else clean[: max(length - 1, 1)] + "…"


def label_ticks(axes: Axes, labels: Sequence[object]) -> None:
    """Put categories under the horizontal axis, shortened to the available width.

    Where there is no room for three letters of each, only every second or third one is shown.
    """
    width = axes.get_window_extent().width / axes.figure.dpi * 72 / LABEL_WIDTH
    each = max(1, ceil(LEAST * len(labels) / width))
    room = int(width / max(len(labels), 1) * each)
    places = range(0, len(labels), each)
    axes.set_xticks(places, [shorten(labels[place], max(room, 3)) for place in places])
    axes.set_xlim(-0.6, len(labels) - 0.4)


def number_ticks(axes: Axes, places: Sequence[float], labels: Sequence[str]) -> None:
    """Put numbers under the places where they are, leaving out those that would overlap.

    The first and the last one stay.
    """
    width = axes.get_window_extent().width / axes.figure.dpi * 72 / LABEL_WIDTH
    span = max(places) - min(places)
    taken = [0]
    for n in range(1, len(places)):
        gap = width * (places[n] - places[taken[-1]]) / (1.2 * span)
        if gap >= (len(labels[n]) + len(labels[taken[-1]])) / 2 + 1:
            taken.append(n)
        elif n == len(places) - 1 and len(taken) > 1:
            taken[-1] = n
    axes.set_xticks([places[n] for n in taken], [labels[n] for n in taken])
    axes.set_xlim(min(places) - 0.1 * span, max(places) + 0.1 * span)


def log_axis(axes: Axes, low: float, high: float) -> None:
    """Make the horizontal axis logarithmic, with plain numbers for its ticks."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.set_xscale("log")
    subs = (1.0,) if high / low > WIDE else (1.0, 2.0, 5.0)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()


def whole_ticks(axes: Axes) -> None:
    """Keep the ticks of the horizontal axis on whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def draw_level(axes: Axes, value: float, name: str) -> None:
    """Draw a horizontal reference line with its name at the right end."""
    axes.axhline(value, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
    place = axes.get_yaxis_transform()
    axes.text(1, value, name, transform=place, color=MUTED, fontsize=11, ha="right", va="bottom")


def _style(axes: Axes) -> None:
    axes.tick_params(colors=MUTED, labelsize=11, length=3, width=0.8, pad=4)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="y", nbins=5)


def _drawn(figure: Figure) -> str:
    import matplotlib as mpl
    from matplotlib.text import Text

    for text in figure.findobj(Text):  # also texts that were created without these settings
        text.set_parse_math(False)
    sink = io.StringIO()
    with mpl.rc_context(SETTINGS), warnings.catch_warnings():
        # The page's font draws the text, so glyphs missing in matplotlib's font do not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    return sink.getvalue()


def _clean(element: ET.Element) -> None:
    """Remove namespaces and style attributes, and round coordinates."""
    element.tag = element.tag.rpartition("}")[2]
    for child in [c for c in element if c.tag.rpartition("}")[2] in {"metadata", "style"}]:
        element.remove(child)
    style = dict(_declarations(element.get("style", "")))
    plain = {k.rpartition("}")[2]: v for k, v in element.attrib.items()}
    attributes = style | {k: v for k, v in plain.items() if k != "style"}
    element.attrib.clear()
    for name, value in attributes.items():
        if _needed(element.tag, name, value):
            element.set(name, _short(name, value))
    element.text = element.text if element.tag == "text" else None
    element.tail = None


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for part in style.split(";"):
        name, colon, value = part.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _needed(tag: str, name: str, value: str) -> bool:
    if name == "id":
        return tag in {"path", "clipPath"}
    if name in {"width", "height"}:
        return tag == "rect"
    return name not in DROPPED and not (name == "transform" and value.startswith("rotate(-0 "))


def _short(name: str, value: str) -> str:
    if name in {"fill", "stroke"}:
        return VARIABLES.get(value, value)
    if name in {"id", "href", "clip-path"}:
        return value
    rounded = NUMBER.sub(lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), value)
    return " ".join(rounded.split()).replace("-0 ", "0 ") if name == "d" else rounded


def _hoist(root: ET.Element) -> None:
    """Move attributes that all markers of a group share to the group: the file gets smaller."""
    for group in root.iter("g"):
        uses = [child for child in group if child.tag == "use"]
        if len(uses) > 1 and len(uses) == len(group):
            _share(group, uses)


def _share(group: ET.Element, uses: Sequence[ET.Element]) -> None:
    for name in set(uses[0].attrib) - {"x", "y", "href"}:
        if len({use.get(name) for use in uses}) == 1:
            group.set(name, uses[0].attrib[name])
            for use in uses:
                del use.attrib[name]
    group.attrib.update(sorted(group.attrib.items()))


def _rename(root: ET.Element, prefix: str) -> None:
    """Give ids that are referenced short names unique to this figure, and remove the others."""
    text = ET.tostring(root, encoding="unicode")
    referred = dict.fromkeys(re.findall(r"#([\w-]+)[\")]", text))
    names = {old: f"{prefix}{n}" for n, old in enumerate(referred)}
    for element in root.iter():
        if "id" in element.attrib:
            old = element.attrib.pop("id")
            if old in names:
                element.set("id", names[old])
        for name in ("href", "clip-path"):
            if name in element.attrib:
                element.set(
                    name, re.sub(r"#([\w-]+)", lambda m: "#" + names[m[1]], element.attrib[name])
                )


def _describe(root: ET.Element, prefix: str, title: str, description: str) -> None:
    root.set("role", "img")
    root.set("aria-label", title)
    root.set("aria-describedby", f"{prefix}desc")
    head, body = ET.Element("title"), ET.Element("desc", id=f"{prefix}desc")
    head.text, body.text = shorten(title, 300), shorten(description, 600)
    root.insert(0, head)
    root.insert(1, body)
