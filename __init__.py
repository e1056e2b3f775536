"""MathV360K: rebuild, version, publish and load a multimodal mathematics dataset.

`load` and `MathV360K` read a built dataset (or Hub version) through `datasets`; `build` and
`import_release` make one; `synthesize` and `verify_answers` have a teacher write more questions;
`reward` checks answers for reinforcement learning; `open_rgb` opens an image's bytes as they are
meant to look.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .builder.dataset import MathV360K, load
    from .builder.images import open_rgb
    from .builder.recipe import Recipe, read_recipe
    from .errors import (
        FolderError,
        MathV360KError,
        ModelError,
        SourceError,
        TeacherError,
        UsageError,
    )
    from .eval.reward import reward, reward_function
    from .pipeline import build, import_release
    from .synthesis.asking import Asking
    from .synthesis.run import synthesize
    from .synthesis.verify import verify_answers
    from .synthesis.window import Limits

__all__ = [
    "Asking",
    "FolderError",
    "Limits",
    "MathV360K",
    "MathV360KError",
    "ModelError",
    "Recipe",
    "SourceError",
    "TeacherError",
    "UsageError",
    "build",
    "import_release",
    "load",
    "open_rgb",
    "read_recipe",
    "reward",
    "reward_function",
    "synthesize",
    "verify_answers",
]

_HOMES = {
    "MathV360K": ".builder.dataset",
    "load": ".builder.dataset",
    "open_rgb": ".builder.images",
    "Recipe": ".builder.recipe",
    "read_recipe": ".builder.recipe",
    "build": ".pipeline",
    "import_release": ".pipeline",
    "reward": ".eval.reward",
    "reward_function": ".eval.reward",
    "Asking": ".synthesis.asking",
    "Limits": ".synthesis.window",
    "synthesize": ".synthesis.run",
    "verify_answers": ".synthesis.verify",
}


def __getattr__(name: str) -> Any:
    """Import public names on first use: `datasets` alone takes a second."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, ".errors"), __name__), name)
