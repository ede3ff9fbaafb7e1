"""From a parameter file to a study that can be asked for keys and jobs."""

from pathlib import Path

from mimic.config.checks import check_nets, check_searches
from mimic.config.reading import read_parameters
from mimic.dag.study import Study
from mimic.engine import image_content
from mimic.support.errors import MimicError

RESULTS = Path("results")


def open_study(params: Path) -> Study:
    """The study of a parameter file, checked. Raises MimicError with one line for what is wrong."""
    parameters = read_parameters(params)
    try:
        check_nets(parameters)
        check_searches(parameters)
    except MimicError as error:
        raise MimicError(f"{params}: {error}") from None
    return Study(parameters, image_content.content(parameters.data, RESULTS / parameters.study / "data"))
