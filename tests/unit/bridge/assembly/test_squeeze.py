"""A shorter text does the same."""

from __future__ import annotations

import ast
import textwrap

import pytest

from x11fwd.bridge.assembly.squeeze import shorten_names, without_blanks

PUBLIC = {"size", "Thing", "outer", "f"}


def squeezed(text: str) -> str:
    tree = ast.parse(textwrap.dedent(text))
    shorten_names(tree, PUBLIC)
    return without_blanks(ast.unparse(tree))


def run(text: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(text, names)
    return names


def test_variables_of_a_function_get_short_names_and_arguments_keep_theirs() -> None:
    text = squeezed(
        """
        size = 5
        class Thing:
            field = 1
            def set(self, value, *rest, named=2):
                result, self.field = value + named, [item * size for item in rest]
                with open("/dev/null") as opened:
                    result += len(opened.read())
                return result
            @classmethod
            def make(cls):
                return cls()
        """
    )
    for gone in ("self", "cls", "result", "opened", "item"):
        assert gone not in text
    thing = run(text)["Thing"].make()  # type: ignore[attr-defined]
    assert thing.set(1, 2, 3, named=4) == 5
    assert thing.field == [10, 15]


def test_a_name_that_means_two_things_is_left_alone() -> None:
    text = squeezed(
        """
        size = 5
        outer = 7
        def f(first):
            values = [size for size in first]
            def inner(outer=3):
                nonlocal values
                values = values + [outer]
                return max(values)
            try:
                return inner(), size, outer
            except ValueError as error:
                return error
        """
    )
    assert run(text)["f"]([1, 2]) == (3, 5, 7)  # type: ignore[operator]


def test_a_short_name_hides_no_other() -> None:
    text = squeezed(
        """
        a = 1
        def f(c, b=2):
            variable = a + b
            for another in range(c):
                variable += another
            return variable, d
        d = 4
        """
    )
    assert run(text)["f"](3) == (6, 4)  # type: ignore[operator]


def test_a_default_is_what_the_class_has() -> None:
    text = squeezed(
        """
        class Thing:
            limit = 5
            def get(self, first=limit, *, second=limit):
                limit = first + second
                return limit
        """
    )
    assert run(text)["Thing"]().get() == 10  # type: ignore[operator]


@pytest.mark.parametrize("word", ["locals()", "eval('variable')"])
def test_a_function_that_looks_at_its_variables_keeps_them(word: str) -> None:
    text = squeezed(f"def f():\n    variable = 3\n    return {word}\n")
    assert run(text)["f"]() in ({"variable": 3}, 3)  # type: ignore[operator]


def test_a_class_inside_a_function_keeps_its_attributes() -> None:
    text = squeezed("def f():\n    class Inner:\n        number = 3\n    return Inner().number\n")
    assert run(text)["f"]() == 3  # type: ignore[operator]


def test_blanks_stay_where_words_would_run_together_and_in_strings() -> None:
    text = without_blanks(
        ast.unparse(
            ast.parse(
                "def f(a, *b, c=-1, **d):\n"
                "    if not a:\n"
                "        return 'x  y' if b else b'\\n  z'\n"
                "    lambda: (yield)\n"
                "    return a is None or 1 if a in (1,) else - -1 ** 2, 'a' 'b', {**d}, d[1:-1:2]\n"
            )
        )
    )
    assert text == (
        "def f(a,*b,c=-1,**d):\n"
        " if not a:\n"
        "  return 'x  y'if b else b'\\n  z'\n"
        " lambda:(yield)\n"
        " return(a is None or 1 if a in(1,)else--1**2,'ab',{**d},d[1:-1:2])"
    )
