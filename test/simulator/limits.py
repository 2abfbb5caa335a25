# limits.py - the daily token budget and the burst window, with their headers and 429 answers; header Date.

import email.utils
import math
import time

import errors

BURST_WINDOW = 2.0
DEFAULTS = {"daily": 1000000000, "burst": 1000000, "used": 0, "retry_after": 3939}


DATES = {"now": 0, "two_hours_ahead": 7200, "two_hours_behind": -7200}


def date_header(switch):
    if switch not in DATES:
        return []
    return [("date", email.utils.formatdate(time.time() + DATES[switch], usegmt=True))]


class Limits:
    """Budget of the company and rolling two-second window per token."""

    def __init__(self, start=None):
        self.start = dict(DEFAULTS, **(start or {}))
        self.reset()

    def reset(self):
        self.set(self.start)
        self.windows = {}

    def set(self, wanted):
        for name, value in wanted.items():
            if name not in DEFAULTS or not isinstance(value, int) or value < 0:
                raise ValueError("limits takes whole numbers for " + ", ".join(DEFAULTS))
            setattr(self, name, value)
        self.windows = {}

    def describe(self):
        return {name: getattr(self, name) for name in DEFAULTS}

    def charge(self, viewer, tokens, daily_headers):
        """Counts a request; returns the headers of its answer or raises a 429."""
        now = time.monotonic()
        window = [t for t in self.windows.get(viewer.token, ()) if now - t < BURST_WINDOW]
        self.windows[viewer.token] = window
        reset = math.ceil(BURST_WINDOW - (now - window[0])) if window else 2
        if len(window) >= self.burst:
            raise errors.gateway(429, "request over limit", self._burst(0, reset))
        if self.used + tokens > self.daily:
            raise errors.gateway(429, "daily request budget exceeded",
                                 [("retry-after", str(self.retry_after))]
                                 + self._burst(self.burst - len(window), reset)
                                 + self._daily(daily_headers))
        window.append(now)
        self.used += tokens
        return self._burst(self.burst - len(window), reset) + self._daily(daily_headers)

    def _burst(self, left, reset):
        return [("x-ratelimit-limit", str(self.burst)), ("x-ratelimit-remaining", str(left)),
                ("x-ratelimit-reset", str(reset))]

    def _daily(self, wanted):
        if not wanted:
            return []
        return [("x-daily-ratelimit-token-limit", str(self.daily)),
                ("x-daily-ratelimit-token-remaining", str(max(0, self.daily - self.used)))]
