"""Dates in free form: every way of writing one that the models read, and which dates and ways are never trained on.

A way of writing is a combination of six elements: an order of parts (`TEMPLATES`), a style each of day, month and year,
a weekday in front or none, and upper or lower case. Where all parts are numbers, the order is settled by rule: a year of
four digits in front means year, month, day; else dots and hyphens mean day, month, year, and slashes month, day, year.
A year of two digits is one from 1950 to 2049.
"""

import datetime
import re
import zlib
from dataclasses import dataclass

import numpy as np

FIRST_YEAR, LAST_YEAR = 1600, 2199
SHORT_FIRST, SHORT_LAST = 1950, 2049
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ONES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
WORDS = (
    *ONES, "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth", "twentieth", *(f"twenty-{one}" for one in ONES), "thirtieth", "thirty-first",
)

DAY = {
    "plain": lambda day: str(day),
    "padded": lambda day: f"{day:02}",
    "ordinal": lambda day: f"{day}{'th' if 11 <= day <= 13 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}",
    "word": lambda day: WORDS[day - 1],
}
MONTH = {
    "full": lambda month: MONTHS[month - 1],
    "short": lambda month: "Sept" if month == 9 else MONTHS[month - 1][:3],
    "three": lambda month: MONTHS[month - 1][:3],
    "dotted": lambda month: MONTHS[month - 1] if month == 5 else f"{MONTHS[month - 1][:3]}.",
    "plain": lambda month: str(month),
    "padded": lambda month: f"{month:02}",
}
YEAR = {
    "four": lambda year: str(year),
    "two": lambda year: f"{year % 100:02}",
    "apostrophe": lambda year: f"'{year % 100:02}",
}
WEEKDAY = {
    "none": lambda name: "",
    "full,": lambda name: f"{name}, ",
    "full": lambda name: f"{name} ",
    "short,": lambda name: f"{name[:3]}, ",
    "short": lambda name: f"{name[:3]} ",
    "on full,": lambda name: f"on {name}, ",
}
CASE = {"as usual": str, "lower": str.lower, "upper": str.upper}

NUMBERS, ORDINALS, ALL_DAYS = ("plain", "padded"), ("ordinal", "word"), ("plain", "padded", "ordinal", "word")
NAMES, ANY_YEAR, LONG, SHORT = ("full", "three", "short", "dotted"), ("four", "two", "apostrophe"), ("four",), ("four", "two")
# Order of parts: how often it is drawn, styles of day, month and year that go with it.
TEMPLATES = {
    "{d} {m} {y}": (8, ALL_DAYS, NAMES, ANY_YEAR),
    "{d} {m}, {y}": (4, ALL_DAYS, NAMES, ANY_YEAR),
    "{d} of {m} {y}": (6, ORDINALS, NAMES, ANY_YEAR),
    "{d} of {m}, {y}": (4, ORDINALS, NAMES, ANY_YEAR),
    "the {d} of {m} {y}": (4, ORDINALS, NAMES, LONG),
    "the {d} of {m}, {y}": (4, ORDINALS, NAMES, LONG),
    "the {d} day of {m}, {y}": (2, ORDINALS, ("full",), LONG),
    "the {d} of {m} in the year {y}": (2, ORDINALS, ("full",), LONG),
    "{d}. {m} {y}": (3, NUMBERS, ("full", "three"), LONG),
    "{d}-{m}-{y}": (5, NUMBERS, ("three", "plain", "padded"), SHORT),
    "{d}.{m}.{y}": (6, NUMBERS, ("plain", "padded"), SHORT),
    "{d}. {m}. {y}": (2, NUMBERS, ("plain", "padded"), LONG),
    "{d}/{m}/{y}": (2, NUMBERS, ("three",), SHORT),
    "{d}{m}{y}": (2, ("padded",), ("three",), LONG),
    "{m} {d}, {y}": (8, ALL_DAYS, NAMES, ANY_YEAR),
    "{m} {d} {y}": (5, ALL_DAYS, NAMES, ANY_YEAR),
    "{m} the {d}, {y}": (3, ORDINALS, NAMES, LONG),
    "{m}-{d}-{y}": (2, NUMBERS, ("three",), LONG),
    "{m}/{d}/{y}": (6, NUMBERS, ("plain", "padded"), SHORT),
    "{y} {m} {d}": (3, NUMBERS, NAMES, LONG),
    "{y}, {m} {d}": (3, ALL_DAYS, NAMES, LONG),
    "{y}-{m}-{d}": (6, NUMBERS, ("three", "plain", "padded"), LONG),
    "{y}/{m}/{d}": (4, NUMBERS, ("plain", "padded"), LONG),
    "{y}.{m}.{d}": (2, NUMBERS, ("plain", "padded"), LONG),
    "{y}{m}{d}": (2, ("padded",), ("padded",), LONG),
}
BEFORE, AFTER = ("on ", "On ", "since ", "Date: ", "date: ", " ", "(", "\n", "    "), (".", ",", ";", ")", " ", "\n", "!", "?", ":")


@dataclass(frozen=True)
class Form:
    """One way of writing: a template and the style of each part."""

    template: str
    day: str
    month: str
    year: str
    weekday: str
    case: str

    def is_held_out(self):
        """One in eight combinations is never trained on; of those without weekday and in usual case, none is held out."""
        if self.weekday == "none" and self.case == "as usual":
            return False
        return zlib.crc32(repr(self).encode()) % 8 == 0

    def suits(self, date):
        return self.year == "four" or SHORT_FIRST <= date.year <= SHORT_LAST

    def parts(self, date):
        return {"d": DAY[self.day](date.day), "m": MONTH[self.month](date.month), "y": YEAR[self.year](date.year)}

    def write(self, date):
        text = self.template.format(**self.parts(date))
        if self.weekday == "none" and text[0].islower() and self.case == "as usual" and zlib.crc32(text.encode()) % 2:
            text = text[0].upper() + text[1:]
        return CASE[self.case](WEEKDAY[self.weekday](WEEKDAYS[date.weekday()]) + text)

    def spans(self, date):
        """Where day, month and year stand in the written text, as {"d": (start, end), …}."""
        parts, spans, at, last = self.parts(date), {}, len(WEEKDAY[self.weekday](WEEKDAYS[date.weekday()])), 0
        for found in re.finditer(r"{([dmy])}", self.template):
            at += found.start() - last
            spans[found[1]] = (at, at + len(parts[found[1]]))
            at, last = spans[found[1]][1], found.end()
        return spans


def is_held_out_date(date):
    """One date in ten is never trained on, in any form."""
    return zlib.crc32(date.isoformat().encode()) % 10 == 0


class Draws:
    """Draws (text, ISO date) pairs; the same seed gives the same pairs."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        weights = np.array([template[0] for template in TEMPLATES.values()], dtype=float)
        self.shares = np.cumsum(weights / weights.sum())
        self.templates = list(TEMPLATES.items())

    def one_of(self, values):
        return values[int(self.random.random() * len(values))]

    def form(self):
        template, (_, days, months, years) = self.templates[int(np.searchsorted(self.shares, self.random.random()))]
        weekday = self.one_of(list(WEEKDAY)) if self.random.random() < 0.4 else "none"
        case = self.one_of(("lower", "upper")) if self.random.random() < 0.4 else "as usual"
        year = years[0] if self.random.random() < 0.6 else self.one_of(years)
        return Form(template, self.one_of(days), self.one_of(months), year, weekday, case)

    def date(self):
        """Half of the years are from 1900 to 2099."""
        first, last = (FIRST_YEAR, LAST_YEAR) if self.random.random() < 0.5 else (1900, 2099)
        start, end = datetime.date(first, 1, 1).toordinal(), datetime.date(last, 12, 31).toordinal()
        return datetime.date.fromordinal(start + int(self.random.random() * (end - start + 1)))

    def pair(self, held_out_date=False, held_out_form=False):
        """A text and its date; with or without something around it, as selections have."""
        form = self.form()
        while form.is_held_out() != held_out_form:
            form = self.form()
        date = self.date()
        while is_held_out_date(date) != held_out_date or not form.suits(date):
            date = self.date()
        text = form.write(date)
        if self.random.random() < 0.08:
            text = self.one_of(BEFORE) + text
        if self.random.random() < 0.15:
            text += self.one_of(AFTER)
        return text, date.isoformat()


def held_out(seed, count, held_out_form):
    """`count` different texts of dates that were never trained on, in forms that were, or that were not."""
    draws, pairs = Draws([seed, 99, int(held_out_form)]), {}
    while len(pairs) < count:
        text, iso = draws.pair(held_out_date=True, held_out_form=held_out_form)
        pairs[text] = iso
    return list(pairs.items())
