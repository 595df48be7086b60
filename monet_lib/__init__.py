"""From raw TFRecords to repainted photographs: a room for each thing one does, see docs/architecture.md."""

from monet_lib.quiet import quiet

quiet()  # here, since every part of the library, and so every command, passes here before it imports TensorFlow
