"""What the lessons show: figures with controls, exercises that check themselves, short trainings.

For each lesson one module holds figures and sizes, and one beside it, `..._checks`, its exercises' checks. What a
lesson teaches stands in the lesson itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checks": ["Check", "Wrong"],
        "setup": ["start"],
        "short_runs": ["short_run", "shrunk", "teach_discriminator"],
        "widgets": ["explore"],
    },
)
