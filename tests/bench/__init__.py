"""Speed and size beside other libraries: `python -m tests.bench`.

machine      the machine every contender runs
contender    what is asked of one
contenders   this engine, its peers, and how fast Python itself could be: a file each
peers        installs them into a folder of their own
measuring    CPU time, in rounds
report       tables: as text, as JSON
picture      the chart
sending, making, importing, loading, waiting    the topics; any module here with a function `tables(run)` is one
"""
