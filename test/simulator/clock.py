# clock.py - time as the simulator sees it: whole seconds, settable, and the API's text forms.

import calendar
import re
import time

_FORM = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def text(seconds):
    """YYYY-MM-DDTHH:MM:SSZ"""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds(stamp):
    """Inverse of text(); raises ValueError for any other form or an impossible date."""
    if not isinstance(stamp, str) or not _FORM.match(stamp):
        raise ValueError("not a valid datetime: %r" % (stamp,))
    return calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))


class Clock:
    """Real time until set; a set clock stands still until it is set again."""

    def __init__(self):
        self.fixed = None

    def now(self):
        return text(time.time()) if self.fixed is None else self.fixed

    def set(self, stamp):
        if stamp is not None:
            seconds(stamp)
        self.fixed = stamp
