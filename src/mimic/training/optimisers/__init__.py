"""The optimisers. Each is a class with a `kind`, its own parameters, and two methods:

    start(weights) -> state        tensors by name, zeros or the like; a checkpoint holds them
    update(weights, gradients, state, rate, momentum, weight_decay)        in place, by name of the weight

Learning rate, momentum and weight decay are hyperparameters of every net; what they mean is the optimiser's.
`copies` is how many numbers the state holds for each weight, for `mimic plan`. The first sentence of its
docstring is what the report calls it.
"""

from mimic.support.parts import one_of

Optimiser = one_of(__name__)
