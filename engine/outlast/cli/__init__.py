"""The command line.

app         the command `outlast`, its subcommands by name, errors and exit codes
terminal    where answers and complaints go
finding     from what was typed to a system or a scenario; completion
listing, checking, running, explaining, writing, completing    the subcommands
subjects    everything in a plan that has a name
shapes      the JSON forms
render      what things look like on a terminal
"""

from outlast.cli.app import main

__all__ = ["main"]
