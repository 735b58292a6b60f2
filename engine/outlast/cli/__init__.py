"""The command line.

app         the command `outlast`, its subcommands by name, errors and exit codes
terminal    where answers and complaints go
complaining what an error looks like
finding     from what was typed to a system or a scenario; completion
listing, checking, running, explaining, writing, completing    the subcommands
drawing, pictures, covering    pictures: the command, single ones, those that need a run of a table
subjects    everything in a plan that has a name
shapes      the JSON forms
render      what things look like on a terminal
"""

from outlast.cli.app import main

__all__ = ["main"]
