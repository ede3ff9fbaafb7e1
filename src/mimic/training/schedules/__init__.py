"""How the learning rate moves, and when training ends. Each is a class with a `kind`, its parameters and

    planned_epochs                                  None where the validation error decides
    expected_epochs(share)                          for `mimic plan`; where it decides, `share` of the most
    start(peak, steps_per_epoch) -> state machine   `peak` is the greatest rate

and its state machine, in the same module, with

    rate(step)                                      the rate of a step, counted from 0 over the whole training
    after_epoch(validation_error)                   takes note of an epoch; why training ends here, or None
    state(), restore(state)                         everything that changes, as JSON
"""

from mimic.support.parts import one_of

Schedule = one_of(__name__)
