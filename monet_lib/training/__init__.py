"""Train in a run's folder: the loop, what watches it, and checkpoints that survive anything.

A run resumes exactly where it stopped: data order and random draws are functions of the seed and the step.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"loop": ["train"], "runs": ["Run"]})
