"""The model card of an export: what it is, on what, how good, how to load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.analysis import of_class
from sweep.spec.scorers import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping

CARD_TEXT = """\
# {study}

A classifier of {count} classes ({names}) for rows of shape {shape}, chosen by a
hyperparameter study and refitted.

| | |
| --- | --- |
{facts}

```python
import sweep

model = sweep.load_best("this-folder"{allow})
model.predict(images)  # raw pixels, as in the training data: scaling is part of the model
```

{files} It knows only what these training rows
show; how it does on others has not been measured.
"""

ALONE = "`model.keras` alone loads with `keras.saving.load_model`."
BY_FACTORY = """\
`weights.npz` holds the weights alone: `{code}` makes the model, so its file lies in the folder
where you stand, or on Python's path, as it was. On the command line: `sweep predict this-folder
picture.png --allow {module}`. `model.model` is the Keras model."""


def card(recipe: Mapping[str, Any], text: str = "") -> str:
    """Return the model card of an export.

    Parameters
    ----------
    recipe : mapping
        Its recipe.
    text : str
        What to say of the files; by default by whether the recipe names a factory.
    """
    opened = f"test set opened {recipe['test_openings']} time(s)"
    scorer = _plain(of_class(column_of(recipe["scoring"]), recipe["positive"]))
    facts = {
        f"test {scorer}": f"{recipe['test_score']:.4f} on {recipe['test_rows']:,} rows, {opened}",
        "trained on": f"{recipe['train_rows']:,} rows of {_plain(recipe['data'])}, "
        f"{recipe['epochs'] or 'no'} epochs",
        **({"parameters": f"{recipe['parameters']:,}"} if recipe["parameters"] else {}),
        "model": _plain(recipe["factory"]),
        **{_plain(n): _plain(v) for n, v in {**recipe["fixed"], **recipe["params"]}.items()},
    }
    code = recipe.get("code", "")
    module = code.partition(":")[0]
    return CARD_TEXT.format(
        allow=_arguments(recipe, module),
        files=text or (BY_FACTORY.format(code=code, module=module) if code else ALONE),
        study=_plain(recipe["study"]),
        count=len(recipe["class_names"]),
        names=_plain(", ".join(recipe["class_names"])),
        shape=tuple(recipe["input_shape"]),
        facts="\n".join(f"| {name} | {value} |" for name, value in facts.items()),
    )


def _arguments(recipe: Mapping[str, Any], module: str) -> str:
    if recipe.get("stored") == "pickle":
        return ", trust=True"
    return f', allow=["{module}"]' if module else ""


def _plain(text: object) -> str:
    """Return text with Markdown's special characters escaped."""
    shown = "".join(c for c in str(text) if c.isprintable())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in shown)
