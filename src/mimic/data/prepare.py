"""From a source to the packed image set of a study."""

from mimic.data.packed import write_packed
from mimic.data.sources import read_source
from mimic.data.splits import split_source
from mimic.support import messages
from mimic.support.context import Context


def prepare(context: Context) -> None:
    """Read the source, split it, and write train, validation and test.safetensors and data.json.

    Raises MimicError naming the file or parameter at fault.
    """
    data, seed = context.task.data, context.task.seed
    source = read_source(data, seed, context.progress)
    context.progress(messages.splitting(len(source.train_labels_N), len(source.classes)))
    splits = split_source(source, data, seed)
    context.progress(messages.drawn({name: len(labels_N) for name, (_, labels_N) in splits.items()}))
    write_packed(context.out, splits, source.classes, data.source)
