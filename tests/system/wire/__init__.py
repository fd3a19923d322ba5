"""Wire cases: what HTTP/1.1 is on the wire, as data, one file a subject."""
from . import (chunked, connection, expect, fields, framing, host, limits, pipelining, request_line, responses, targets,
               trailers, upgrade)

GROUPS = {module.__name__.rpartition(".")[2]: module.CASES for module in (
    request_line, targets, host, fields, framing, chunked, trailers, responses, connection, expect, pipelining, upgrade,
    limits)}
