"""What things look like on a terminal: pure functions from values to rich renderables.

words      small pieces: names, clauses, values, actions
problems   what is wrong with a text
checked    what a check of systems found
story      a run as a timeline, and its verdicts
inventory  lists of systems, machines and stories
subject    systems, machines, states, rows, clauses
"""
