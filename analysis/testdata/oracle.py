#!/usr/bin/env python3
"""Writes the rows that the .test files of this folder expect, in the plainest way: python3 oracle.py FILE...

It is a second implementation of the statistics, which shares nothing with the first: each bucket is found by asking the
clock of the zone minute by minute, each statistic is computed from the readings themselves. It prints a file with the
rows of every eval written anew (heatmap, correlate and faults are left as they are), so that

    python3 oracle.py fill.test | diff fill.test -

says whether a file is what it thinks. Only the standard library; slow; Python 3.11 or newer.
"""

import bisect
import calendar
import datetime as dt
import math
import re
import statistics
import sys
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
MAX_GAP = 24 * 3600 * 10**6
UNITS = {"minute": "PT1M", "hour": "PT1H", "day": "P1D", "week": "P7D", "month": "P1M", "quarter": "P3M", "year": "P1Y"}
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def micros(at):
    d = at - EPOCH
    return (d.days * 86400 + d.seconds) * 10**6 + d.microseconds


def moment(t, zone=UTC):
    return (EPOCH + dt.timedelta(microseconds=t)).astimezone(zone)


def parse_time(text):
    return micros(dt.datetime.fromisoformat(text.replace("Z", "+00:00")))


class Period:
    def __init__(self, text):
        m = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?", text)
        y, mo, w, d, h, mi, s = (float(x or 0) for x in m.groups())
        self.months, self.days = int(12 * y + mo), int(7 * w + d)
        self.time = round((h * 3600 + mi * 60 + s) * 10**6)

    def shift(self, t, n, zone):
        if self.months or self.days:
            at = moment(t, zone)
            month = at.year * 12 + at.month - 1 + n * self.months
            year, month = month // 12, month % 12 + 1
            date = dt.date(year, month, min(at.day, calendar.monthrange(year, month)[1])) + dt.timedelta(days=n * self.days)
            if date != at.date():
                t = local(dt.datetime.combine(date, at.time()), zone)
        return t + n * self.time


def local(wall, zone):
    """The first moment at which the zone's clock shows wall, or jumps over it."""
    first = micros(wall.replace(tzinfo=zone, fold=0))
    if moment(first, zone).replace(tzinfo=None) == wall:
        return first
    t = first - 86400 * 10**6  # the clock jumps over wall: it shows less before the change and more from it on
    while moment(t, zone).replace(tzinfo=None) < wall:
        t += 60 * 10**6
    return t


class Window:
    def __init__(self, o):
        self.zone = ZoneInfo(o.get("zone", ["UTC"])[0])
        every = o["every"][0] if "every" in o else UNITS.get(o.get("calendar", [""])[0])
        self.every = Period(every) if every else None
        self.range = o.get("alignment", [""])[0] == "RANGE"
        self.monday = WEEKDAYS.index(o.get("week", ["monday"])[0])
        self.anchor = micros(dt.datetime(2000, 1, 1, tzinfo=self.zone))

    def key(self, t):
        """What all moments of one bucket have in common, where the calendar says it."""
        p, at = self.every, moment(t, self.zone)
        if p.months:
            return (at.year * 12 + at.month - 1) // p.months
        if p.days:
            days = at.date() - dt.date(2000, 1, 1)
            if p.days % 7 == 0:
                first = dt.date(2000, 1, 1)
                days = at.date() - (first + dt.timedelta(days=(self.monday - first.weekday()) % 7))
            return days.days // p.days
        of_day = (at.hour * 3600 + at.minute * 60 + at.second) * 10**6 + at.microsecond
        offset = at.utcoffset() if p.time <= 3600 * 10**6 else None
        return (at.date(), of_day // p.time, offset)

    def by_calendar(self):
        p = self.every
        kinds = [bool(p.months), bool(p.days), bool(p.time)].count(True)
        return not self.range and kinds == 1 and (not p.time or 86400 * 10**6 % p.time == 0)

    def bounds(self, start, end):
        if start >= end:
            return []
        if self.every is None:
            return [start, end]
        if not self.by_calendar():
            origin = start if self.range else self.anchor
            k = 0
            if origin < start:  # steps are at most 10 % shorter than this one
                k = int((start - origin) / (self.every.shift(origin, 1, self.zone) - origin) * 0.9)
                while self.every.shift(origin, k, self.zone) > start:
                    k -= 1
                while self.every.shift(origin, k + 1, self.zone) <= start:
                    k += 1
            bounds = [self.every.shift(origin, k, self.zone)]
            while bounds[-1] < end:
                k += 1
                bounds.append(self.every.shift(origin, k, self.zone))
            return bounds
        step = 60 * 10**6
        if self.every.time:
            step = min(step, self.every.time)
        t = start // step * step
        key = self.key(t)
        while self.key(t - step) == key:
            t -= step
        bounds = [t]
        while bounds[-1] < end:
            key = self.key(t)
            while self.key(t) == key:
                t += step
            bounds.append(t)
        return bounds

    def label(self, start):
        p = self.every
        if p is None or not self.by_calendar():
            return "-"
        at = moment(start, self.zone)
        if p.months:
            return {1: at.strftime("%Y-%m"), 3: f"{at.year}-Q{(at.month + 2) // 3}", 12: f"{at.year}"}.get(p.months, "-")
        if p.days == 7 and self.monday == 0:
            year, week, _ = at.isocalendar()
            return f"{year}-W{week:02}"
        if p.days:
            return at.strftime("%Y-%m-%d") if p.days in (1, 7) else "-"
        hour, minute, second = 3600 * 10**6, 60 * 10**6, 10**6
        if p.time % second:
            return "-"
        midnight = at.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        since = (at.replace(tzinfo=None) - midnight) // dt.timedelta(microseconds=p.time)
        place = midnight + since * dt.timedelta(microseconds=p.time)
        layout = "%Y-%m-%dT%H" if p.time % hour == 0 else "%Y-%m-%dT%H:%M" if p.time % minute == 0 else "%Y-%m-%dT%H:%M:%S"
        text = place.strftime(layout)
        if p.time <= hour and shown_twice(place, p.time, self.zone):
            offset = at.strftime("%z")
            text += offset[:3] + ":" + offset[3:]
        return text


def shown_twice(place, length, zone):
    """Whether the clock shows a minute between place and place + length (or the place itself) twice."""
    for minute in range(max(length // (60 * 10**6), 1)):
        wall = place + dt.timedelta(minutes=minute)
        first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
        if first.utcoffset() > second.utcoffset():
            return True
    return False


def quantile(values, q):
    """Definition 7 of Hyndman and Fan."""
    values = sorted(values)
    rank = q * (len(values) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(values) - 1)
    return values[low] + (rank - low) * (values[high] - values[low])


class Bucket:
    """The readings of several series between start and end; lines are all readings of these series."""

    def __init__(self, series, start, end):
        self.start, self.end, self.series = start, end, series
        self.each = [[(t, v) for t, v in s.readings if start <= t < end] for s in series]
        self.all = sorted((t, v) for rs in self.each for t, v in rs)
        self.values = [v for _, v in self.all]

    def segments(self, s):
        """The pieces of the line through the readings of s that lie in the bucket: times, values, and share of the whole."""
        times = [t for t, _ in s.readings]
        first = max(bisect.bisect_right(times, self.start) - 1, 0)
        for (t0, v0), (t1, v1) in zip(s.readings[first:], s.readings[first + 1 :]):
            if t0 >= self.end:
                return
            a, b = max(t0, self.start), min(t1, self.end)
            if t1 - t0 > MAX_GAP or a >= b:
                continue
            at = lambda t: v0 + (v1 - v0) * (t - t0) / (t1 - t0)
            yield (b - a) / 1e6, at(a), at(b), (v1 - v0 if v1 >= v0 else v1) * (b - a) / (t1 - t0)

    def line(self):
        pieces = [p for s, rs in zip(self.series, self.each) if rs for p in self.segments(s)]
        return sum(p[0] for p in pieces), sum(p[0] * (p[1] + p[2]) / 2 for p in pieces)

    def above(self, x, sign):
        total = 0
        for s, rs in zip(self.series, self.each):
            for seconds, a, b, _ in self.segments(s) if rs else ():
                a, b = sign * (a - x), sign * (b - x)
                if a > 0 and b > 0 or a > 0 and b == 0 or a == 0 and b > 0:
                    total += seconds
                elif a > 0 or b > 0:
                    total += seconds * max(a, b) / abs(b - a)
        return total

    def rate(self):
        rates = []
        for s, rs in zip(self.series, self.each):
            pieces = list(self.segments(s)) if rs else []
            if pieces:
                rates.append(sum(p[3] for p in pieces) / sum(p[0] for p in pieces))
        return sum(rates) if rates else None

    def statistic(self, name):
        if name == "count":
            return len(self.all)
        kind, _, rest = name.partition(":")
        if kind == "distinct":
            return len({s.labels[rest] for s, rs in zip(self.series, self.each) if rs and rest in s.labels})
        if kind == "completeness":
            expected = (self.end - self.start) // Period(rest).time * len(self.series)
            return min(1, len(self.all) / expected) if expected else None
        if not self.all:
            return None
        v = self.values
        if m := re.fullmatch(r"p([\d.]+)", name):
            return quantile(v, float(m[1]) / 100)
        if kind == "above":
            return self.above(float(rest), 1) if self.line()[0] else None
        if kind == "below":
            return self.above(float(rest), -1) if self.line()[0] else None
        seconds, area = self.line()
        return {
            "sum": lambda: math.fsum(v),
            "mean": lambda: math.fsum(v) / len(v),
            "min": lambda: min(v),
            "max": lambda: max(v),
            "range": lambda: max(v) - min(v),
            "first": lambda: v[0],
            "last": lambda: v[-1],
            "delta": lambda: sum(rs[-1][1] - rs[0][1] for rs in self.each if rs),
            "stddev": lambda: statistics.stdev(v) if len(v) > 1 else None,
            "variance": lambda: statistics.variance(v) if len(v) > 1 else None,
            "median": lambda: quantile(v, 0.5),
            "rate": self.rate,
            "time_weighted_mean": lambda: area / seconds if seconds else None,
            "integral": lambda: area / 3600 if seconds else None,
        }[name]()

    def histogram(self, text):
        bins, low, high = text.split(":")
        bins, low, high = int(bins), float(low), float(high)
        counts = [0] * bins
        for v in self.values:
            if low <= v <= high:
                counts[min(int((v - low) / (high - low) * bins), bins - 1)] += 1
        return ",".join(map(str, counts))


class Series:
    def __init__(self, device, metric, labels):
        self.device, self.metric, self.labels, self.points = device, metric, labels, {}

    def text(self, name):
        if name in ("device", "metric"):
            return getattr(self, name)
        return self.labels.get(name.removeprefix("label:"), "null")

    def settle(self):
        self.readings = sorted(self.points.items())


def read(words, points):
    t, step = parse_time(words[0]), 0
    words = words[1:]
    if len(words) > 1 and (m := re.fullmatch(r"\+(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?", words[0])):
        h, mi, s = (float(x or 0) for x in m.groups())
        step = round((h * 3600 + mi * 60 + s) * 10**6)
        words = words[1:]
    for word in words:
        m = re.fullmatch(r"(_|-?[\d.]+(?:e[+-]?\d+)?)([+-][\d.]+)?(?:x(\d+))?", word)
        for i in range(int(m[3] or 1)):
            if m[1] != "_":
                points[t] = float(m[1]) + i * float(m[2] or 0)
            t += step


def number(v):
    if v is None:
        return "null"
    if isinstance(v, str):
        return v
    return f"{v:.12g}"


def show(t, zone):
    at = moment(t, zone)
    text = at.isoformat(timespec="auto" if at.second or at.microsecond else "minutes")
    return text.replace("+00:00", "Z") if zone.key == "UTC" else text


def cells(column, key, window, start, end, bucket, previous):
    if column in ("start", "end"):
        return show(start if column == "start" else end, window.zone)
    if column == "label":
        return window.label(start)
    if column == "filled":
        return "false"
    if column in key:
        return key[column]
    column = column.removeprefix("~")
    kind, _, rest = column.partition(":")
    if kind == "previous":
        return number(previous.statistic(rest))
    if kind == "histogram":
        return bucket.histogram(rest)
    return number(bucket.statistic(column))


def evaluate(options, columns, series):
    o, chosen = options, []
    for s in series:
        labels = [x.split(":", 1) for x in o.get("label", [])]
        if s.device in o.get("device", [s.device]) and s.metric in o.get("metric", [s.metric]) and all(s.labels.get(k) == v for k, v in labels):
            chosen.append(s)
    groups = {}
    by = o["by"][0].split(",") if "by" in o else []
    for s in chosen:
        groups.setdefault(tuple(s.text(b) for b in by), []).append(s)
    window = Window(o)
    start = parse_time(o["from"][0]) if "from" in o else min(t for s in chosen for t, _ in s.readings)
    end = parse_time(o["to"][0]) if "to" in o else Series.now
    bounds = window.bounds(start, end)
    ranked = list(groups.items())
    if "top" in o:
        sign = 1 if "ascending" in o else -1
        ranked.sort(key=lambda g: sign * Bucket(g[1], start, end).statistic(o["top_by"][0]))
        ranked = ranked[: int(o["top"][0])]
    shift = Period(o["compare"][0]) if "compare" in o else None
    for key, members in ranked:
        pairs = [(start, end)] if "total" in o else list(zip(bounds, bounds[1:]))
        for a, b in pairs:
            bucket = Bucket(members, max(a, start), min(b, end))
            previous = None
            if shift:
                back = lambda t: shift.shift(t, -1, window.zone)
                previous = Bucket(members, back(max(a, start)), back(min(b, end)))
            if bucket.all or "total" in o:
                yield [cells(c, dict(zip(by, key)), window, a, b, bucket, previous) for c in columns]


def run(name):
    lines = open(name, encoding="utf-8").read().splitlines()
    series, changes = {}, []
    Series.now = parse_time("2030-01-01T00:00Z")
    points = None
    for line in lines:
        words = line.split("#")[0].split()
        if not words:
            continue
        if line[0] not in " \t":
            points = None
            if words[0] in ("load", "late", "delete"):
                pairs = [w for w in words[3:] if "=" in w]
                s = series.setdefault(tuple(words[1:3] + sorted(pairs)), Series(words[1], words[2], dict(p.split("=", 1) for p in pairs)))
                points = {}
                changes.append((s, words[0], points, words[-2:]))
            elif words[0] == "now":
                Series.now = parse_time(words[1])
        elif points is not None:
            read(words, points)
    for s, kind, points, span in changes:
        if kind == "delete":
            a, b = map(parse_time, span)
            s.points = {t: v for t, v in s.points.items() if not a <= t < b}
        s.points.update(points)
    for s in series.values():
        s.settle()
    i = 0
    while i < len(lines):
        print(lines[i])
        words = lines[i].split("#")[0].split()
        i += 1
        if not words or words[0] != "eval" or i >= len(lines) or lines[i].split()[0] == "fault" or "rows=by_hand" in words:
            continue
        options = {}
        for w in words[1:]:
            k, _, v = w.partition("=")
            options.setdefault(k, []).append(v)
        columns = lines[i].split()
        i += 1
        while i < len(lines) and lines[i].startswith((" ", "\t")) and lines[i].strip():
            i += 1
        table = [columns] + list(evaluate(options, columns, list(series.values())))
        widths = [max(len(row[c]) for row in table) for c in range(len(columns))]
        for row in table:
            print(("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths))).rstrip())


for name in sys.argv[1:]:
    run(name)
