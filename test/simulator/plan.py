# plan.py - sizes, times and ids of the generated account: what the makers of rows share.

import clock

FIRST_USER = 25455458
BIG_ID = 3000000000
USERS = 12
DAY = 86400


class Plan:
    """Sizes, times and id lists shared by the makers."""

    def __init__(self, seed, scale, now):
        self.seed, self.scale, self.now = seed, scale, clock.seconds(now)
        month = now[:7] + "-01T00:00:00Z"
        self.edges = [clock.seconds(month) + d for d in (0, -1, 1, -31 * DAY)]
        self.users = [FIRST_USER + i for i in range(USERS)]
        self.start = self.now - 700 * DAY
        self.orgs = self.ids(max(2, int(scale * 0.3)))
        self.persons = self.ids(max(2, int(scale * 0.6)))
        self.deals = self.ids(scale)
        self.activities = self.ids(max(2, int(scale * 1.2)))

    @staticmethod
    def ids(count):
        """1, 2, 3, ...; the last one or two percent lie beyond 2^31."""
        big = max(1, count // 60)
        return list(range(1, count - big + 1)) + [BIG_ID + 7 * k for k in range(big)]

    def times(self, r, i, count):
        """(add_time, update_time or None) of row i: many share a second or lie on an edge."""
        step = 690 * DAY // max(count, 1)
        add = self.start + i * step + (0 if i < 3 or i % 4 == 0 else int(r.random() * step))
        if i % 5 == 2:
            return add, None
        if i < 60 or i % 25 == 0:
            edge = self.edges[i % 4]
            if edge >= add:
                return add, edge
        return add, min(add + (i % 3) * 3600 + int(r.random() * 30 * DAY), self.now - 60)


def stamp(seconds):
    return None if seconds is None else clock.text(seconds)
