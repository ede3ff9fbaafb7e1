"""What a step of training minimises: the mean over a batch of one number an image. Each is a class with

    against: ClassVar                               "logits" or "labels": the targets that it takes
    start(net, targets)                             readies a net whose weights are set; `targets(0)` are the
                                                    targets of the first epoch, by image
    __call__(net, logits_NK, targets) -> scalar     of logits in float32; targets [N, K], or [N] if labels

and a `kind` and its parameters. The first sentence of its docstring is what the report calls it.
"""

from mimic.support.parts import one_of

Loss = one_of(__name__)
DistillationLoss = one_of(__name__, lambda loss: vars(loss)["against"] == "logits")
