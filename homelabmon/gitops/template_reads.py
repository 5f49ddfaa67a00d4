"""Which values a chart's templates can read, found in their text: a small reader of Go templates, no interpreter.

It errs towards "can be read": what it does not follow it reports as passed on, and what is iterated or printed whole
as whole. So a value that it calls unread is unread, unless the chart builds the name of a value from pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

Keys = tuple[str, ...]

_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|`[^`]*`")
_ACTION = re.compile(r"\{\{-?\s*((?:" + _TEXT.pattern + r"|[^\"`}]|\}(?!\}))*?)-?\}\}", re.DOTALL)
_FIELDS = r"((?:\)*\.[A-Za-z_]\w*)*)"
"""``.a.b``, also as people write it to be safe from nil: ``((.Values.a).b).c``."""
_VALUES = re.compile(r"(?<![\w\"`])[\w.$]*\.Values\b" + _FIELDS)
_ANYWHERE = re.compile(r"\.Values\b" + _FIELDS)
_LOOKUP = re.compile(
    r"\b(?:index|get|hasKey)\s+\(?[\w.$]*\.Values" + _FIELDS + r"\)?((?:\s+\"[^\"]+\")*)(\s+[^\"\s)|])?"
)
_SAME_VALUES = re.compile(r"\"Values\"\s+[\w.$]*\.Values(?![\w.])")
_DOT = re.compile(r"(?<![\w)\]$\"`.])\.((?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*)?(?![\w])")
_FIELD = re.compile(r"\.([A-Za-z_]\w*)")
_QUOTED = re.compile(r"\"([A-Za-z_][\w.-]*)\"|`([A-Za-z_][\w.-]*)`")
_WORD = re.compile(r"(?<![\w.$\"`])[a-z][A-Za-z0-9]*\b")

_WHOLE = set(
    "range tpl toJson toPrettyJson toRawJson toToml toYaml toYamlPretty mustToJson mustToYaml".split()  # noqa: SIM905
)
_ONLY_READ = set(
    "add and atoi b64enc coalesce contains default else empty end eq fail false float64 ge get gt has hasKey hasPrefix "  # noqa: SIM905
    "hasSuffix if indent index int int64 join kebabcase kindIs le len lower lt mul ne nil nindent not or print printf "
    "quote regexMatch replace required semverCompare sha256sum squote sub ternary title toString trim trimPrefix "
    "trimSuffix true trunc typeIs untitle upper with".split()
)
_LOOKING_UP = {"index", "get", "hasKey"}


@dataclass
class Reads:
    """What templates do with values, by path: ``read`` (with every path on the way), used ``whole``, ``passed`` on.

    ``names`` are all words that could be names of fields. Where templates build a ``.Values`` of their own, paths in
    helpers may start anywhere: then everything counts as passed on.
    """

    read: set[Keys] = field(default_factory=set)
    whole: set[Keys] = field(default_factory=set)
    passed: set[Keys] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def add_read(self, path: Keys) -> None:
        """A path that is read, and the paths on the way to it."""
        self.read.update(path[:length] for length in range(1, len(path) + 1))

    def add(self, other: Reads, prefix: Keys = ()) -> None:
        """Take over what another chart's templates do, its paths put under ``prefix``."""
        self.read |= {(*prefix, *path) for path in other.read}
        self.whole |= {(*prefix, *path) for path in other.whole}
        self.passed |= {(*prefix, *path) for path in other.passed}
        self.names |= other.names


def scan(texts: Iterable[str]) -> Reads:
    """What these templates do with values."""
    reads = Reads()
    for text in texts:
        _Scanner(reads).scan(text)
    return reads


class _Scanner:
    """Goes through one file's actions. ``dots`` is what ``.`` stands for in each open block (None: not known)."""

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
        self.dots: list[Keys | None] = [None]

    def scan(self, text: str) -> None:
        code = _COMMENT.sub("", text)
        for fields in _ANYWHERE.findall(code):
            self.reads.add_read(_keys(fields))
        for match in _ACTION.finditer(code):
            self._action(match[1].strip())

    def _action(self, action: str) -> None:
        self.reads.names.update(_FIELD.findall(action))
        self.reads.names.update(name for pair in _QUOTED.findall(action) for name in pair if name)
        action = _SAME_VALUES.sub('"values"', action)
        if '"Values"' in action:
            self.reads.passed.add(())
        bare = _TEXT.sub('""', action)
        words = set(_WORD.findall(bare))
        paths = self._look_up(action) + [_keys(match[1]) for match in _VALUES.finditer(_LOOKUP.sub("", bare))]
        for path in paths:
            self._use(path, words, action)
        self._use_dot(bare, words)
        self._step(action, paths)

    def _step(self, action: str, paths: list[Keys]) -> None:
        """Keep track of the blocks that an action opens and closes."""
        keyword, _, rest = action.partition(" ")
        if keyword == "else" and len(self.dots) > 1:
            self.dots[-1] = self.dots[-2]
            if rest.startswith("with"):
                self.dots[-1] = None
                self.reads.passed.update(paths)
        elif keyword == "if":
            self.dots.append(self.dots[-1])
        elif keyword == "with":
            self.dots.append(self._dot_inside(rest.strip(), paths))
        elif keyword in {"range", "define", "block"}:
            self.dots.append(None)
        elif keyword == "end" and len(self.dots) > 1:
            self.dots.pop()

    def _dot_inside(self, pipeline: str, paths: list[Keys]) -> Keys | None:
        """What ``.`` is inside ``with``; for what is more than a plain path, what it names counts as passed on."""
        if not re.fullmatch(r"[\w.$]+", pipeline):
            self.reads.passed.update(paths)
            return None
        if paths:
            return paths[0]
        dot = self.dots[-1]
        return None if dot is None or not pipeline.startswith(".") else (*dot, *_keys(pipeline))

    def _look_up(self, action: str) -> list[Keys]:
        """The paths that ``index .Values.a "b" "c"`` and its kin name; with a key that is no text, any is read."""
        paths = []
        for fields, texts, more in _LOOKUP.findall(action):
            path = (*_keys(fields), *re.findall(r"\"([^\"]+)\"", texts))
            paths.append(path)
            if more:
                self.reads.whole.add(path)
        return [path for path in paths if path]

    def _use(self, path: Keys, words: set[str], action: str) -> None:
        self.reads.add_read(path)
        if words & _WHOLE:
            self.reads.whole.add(path)
        elif words - _ONLY_READ or ":=" in action or re.search(r"\$\w*\s*=[^=]", action):
            self.reads.passed.add(path)

    def _use_dot(self, bare: str, words: set[str]) -> None:
        """``.field`` and ``.`` inside ``with .Values.path``."""
        dot = self.dots[-1]
        for match in _DOT.finditer(bare) if dot is not None else ():
            handed_on = not match[1] or words & _LOOKING_UP
            self._use((*(dot or ()), *_keys(match[0])), words | ({"passed"} if handed_on else set()), bare)


def _keys(fields: str) -> Keys:
    return tuple(_FIELD.findall(fields))
