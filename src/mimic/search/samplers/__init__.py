"""Where the points of a round come from. Each is a class with a `kind`, its parameters and

    is_bayesian: ClassVar[bool]       whether the report's rules on Bayesian optimisation are about it
    start(round) -> source            of points, given a Round: dimensions, results so far, what is drawn from

and its source has

    origin                            what its points are said to come from
    ask() -> point                    another one, in view of those asked before
    reject()                          the point asked last can't be trained

One that learns has nothing to go by in the first round, and takes points that are `even`. The first sentence
of its docstring is what the report calls it.
"""

from mimic.support.parts import one_of

Sampler = one_of(__name__)
