"""The service: a store and its system behind HTTP.

settings   limits; tokens: who may do what; rates: how often; address: where to listen
problems   what went wrong, as RFC 9457 has it
bodies     from bytes to data, under limits, before anything looks at it
cloudevents    envelopes in, envelopes out
answers, schemas   the JSON forms of what is answered, and their schemas
bell, watched, telemetry   who waits is told; what is committed is counted
worker, streams    timers fired at their deadline; effects and decisions as they come
pictures, live, conformance   pages; a real instance for the explorer; the protocol of conformance tables
deck, endpoints    what an endpoint has at hand; one function for each
routes     one table: path, method, role, schemas, statuses; openapi: the document written from it
door, app, server    what stands before every request; the application; a process that serves it
"""
