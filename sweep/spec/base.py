"""What all sections of a study file share: exact types, and how they are named in messages."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
COUNT = "a whole number from 1"
SHARE = "a number between 0 and 1, both excluded"


class Section(BaseModel):
    """What all sections share: exact types, no unknown keys, no change once read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)
