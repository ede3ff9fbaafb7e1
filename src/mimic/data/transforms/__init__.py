"""Transforms of training images that the paper does not have. Each is a class with a `kind`, parameters and

    draws: ClassVar[int]                               uniform numbers that it takes an image
    apply(images_NCHW, draws_ND) -> images_NCHW        float32 in 0..255; the images given may be changed

It follows the paper's transforms, in the order in which params.yaml lists it, and draws from a stream of its
own: those of others stay as they are. The first sentence of its docstring is what the report calls it.
"""

from mimic.support.parts import one_of

Transform = one_of(__name__)
