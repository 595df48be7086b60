"""Paint with a trained generator: arrays, image files of any size, and every photo into Kaggle's images.zip."""

from monet_lib.paint.painting import (
    SHIPPED,
    SHIPPED_PAINTER,
    Painter,
    paint,
    paint_all,
    paint_broadly,
    paint_large,
    photographs,
    shipped_generator,
)
from monet_lib.paint.photos import read_photo, translate
from monet_lib.paint.submission import check_submission, write_submission
