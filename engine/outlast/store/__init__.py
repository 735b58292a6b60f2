"""The durable store: a system whose instances, history, timers and effects live in a database.

records     what is kept and answered, as values
interface   the seam: what a database, or a simulation of one, owes the engine
journal     from a step to a row and back; the chain of hashes
groups      what must stay consistent together
schema, sql, sqlite, postgres, opening    the two databases
world       a `System` whose instances are loaded when looked at, and written at the end
outbox      effects on their way out
replaying, checking    the journal told again, and everything held against it
cache       snapshots that need not be decoded again
engine      `Engine`, on top of them all; aio: the same for asyncio
"""
