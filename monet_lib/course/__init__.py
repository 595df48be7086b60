"""What the lessons show: figures with controls, exercises that check themselves, short trainings.

One module a lesson holds its figures and exercises; what a lesson teaches stands in the lesson itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checks": ["Check", "Wrong"],
        "short_runs": ["short_run", "shrunk"],
        "widgets": ["explore"],
    },
)
