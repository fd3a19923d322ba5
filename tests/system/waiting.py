"""Tests wait for conditions, never for time."""
import time

PATIENCE = 60.0  # seconds: a sanitizer build on a busy machine is slow, and a right condition ends the wait at once


def wait_for(condition, what, seconds=PATIENCE):
    """The condition's value as soon as it is true; fails with `what` (a text, or a function that makes it)."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what() if callable(what) else what}")
        time.sleep(0.01)
