"""`mimic completion`: what has a shell complete commands, options and files after `mimic`."""

import shtab

from mimic.commands.grammar import parser


def run(options) -> None:
    """Print the script for bash or zsh, to be sourced."""
    print(shtab.complete(parser(), options.shell))
