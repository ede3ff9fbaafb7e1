"""From a parameter file to a study that can be asked for keys and jobs."""

from pathlib import Path

from mimic.config.bounds import check_bounds
from mimic.config.checks import check_nets, check_searches
from mimic.config.reading import read_parameters
from mimic.dag.study import Study
from mimic.engine import image_content
from mimic.support.errors import MimicError

RESULTS = Path("results")


def open_study(params: Path, for_keys: bool = True) -> Study:
    """The study of a parameter file, checked. Raises MimicError with one line for what is wrong.

    Only keys need the content of the user's images; who asks for none spares a look at all of them.
    """
    parameters = read_parameters(params)
    try:
        check_bounds(parameters)
        check_nets(parameters)
        check_searches(parameters)
    except MimicError as error:
        raise MimicError(f"{params}: {error}") from None
    packed = RESULTS / parameters.study / "data"
    return Study(parameters, image_content.content(parameters.data, packed) if for_keys else None)
