"""Train in a run's folder.

A run resumes exactly where it stopped: data order and random draws are functions of the seed and the step.
"""

from monet_lib.train.loop import train
from monet_lib.train.run import Run
