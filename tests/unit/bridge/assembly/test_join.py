"""Modules become one program: in order, without what only readers need, and only if they fit together."""

from __future__ import annotations

import ast
import textwrap

import pytest

from x11fwd.bridge.assembly.join import defined_names, joined
from x11fwd.bridge.assembly.strip import AssemblyFault

S, R = "x11fwd.bridge.shared.", "x11fwd.bridge.remote."


def made(main: str, **others: str) -> str:
    """The program of these texts; `shared_wire` is the module `x11fwd.bridge.shared.wire`."""
    names = {name.replace("shared_", S).replace("remote_", R): text for name, text in others.items()}
    texts = {name: textwrap.dedent(text) for name, text in {**names, R + "main": main}.items()}
    return joined(texts, R + "main").decode()


def run(program: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "half"}
    exec(compile(program, "half", "exec"), names)
    return names


def test_modules_come_in_the_order_in_which_they_need_one_another() -> None:
    program = made(
        f"from {S}b import two\nfrom {S}a import one\nfound = (one, two)\n",
        shared_a=f"from {S}c import three\none = three - 2\n",
        shared_b=f"from {S}a import one\ntwo = one + 1\n",
        shared_c="three = 3\n",
        shared_unused="import nothing_like_this\n",
    )
    assert "import" not in program.replace("from collections import namedtuple", "")
    assert run(program)["found"] == (1, 2)


def test_what_only_readers_and_type_checkers_need_is_gone() -> None:
    program = made(
        f'''
        """About the module."""
        import typing
        from typing import TYPE_CHECKING, Callable, Dict, Tuple, cast
        from {S}a import Alias, value
        if TYPE_CHECKING:
            from {S}missing import Missing
        __all__ = ["main"]
        Key = Tuple[str, int]
        Table = Dict[Key, Alias]
        Other: "Key" = ("a", 1)
        Call = Callable[[], None]

        class Thing:
            """About the class."""
            field: int
            given: int = 4  # a comment

        class Empty:
            """Only this."""

        def main(argv: "Missing", *rest: Key, early: bytes = b"", **more: Alias) -> "Dict[str, Missing]":
            """About the function."""
            local: int
            self_made: Key = cast(Key, ("b", value))
            argv.field: int = 7
            return self_made

        if __name__ == "__main__":
            main([])
        ''',
        shared_a="from typing import List\nAlias = List[int]\nvalue = 5\n",
    )
    for gone in (
        "About",
        "typing",
        "Missing",
        "Key",
        "Alias",
        "comment",
        "Only",
        "__all__",
        "cast",
        "->",
        "__main__",
    ):
        assert gone not in program
    names = run(program)
    assert names["main"](type("Argv", (), {})()) == ("b", 5)  # type: ignore[operator]
    assert names["Other"] == ("a", 1)


def test_a_named_tuple_keeps_its_defaults_methods_and_name() -> None:
    program = made(
        """
        from typing import NamedTuple, Optional, Tuple
        LIMIT = 9

        class Plain(NamedTuple):
            one: int
            two: "Optional[Tuple[int, ...]]"

        class Full(NamedTuple):
            \"\"\"About it.\"\"\"

            one: int
            two: int = LIMIT
            three: Tuple[int, ...] = ()

            @property
            def sum(self) -> int:
                return self.one + self.two

            @classmethod
            def of(cls, one: int) -> "Full":
                return cls(one)
        """
    )
    names = run(program)
    plain, full = names["Plain"], names["Full"]
    assert repr(plain(1, two=(2,))) == "Plain(one=1, two=(2,))"  # type: ignore[operator]
    with pytest.raises(TypeError):
        plain(1)  # type: ignore[operator]
    assert tuple(full(1)) == (1, 9, ())  # type: ignore[operator]
    assert full.of(2).sum == 11  # type: ignore[attr-defined]
    assert full(1)._replace(two=3) == (1, 3, ())  # type: ignore[operator]
    assert not hasattr(full(1), "__dict__")  # type: ignore[operator]
    assert "NamedTuple" not in program


def test_an_import_inside_a_function_goes_too_and_its_module_comes_first() -> None:
    program = made(
        f"def main():\n    from {S}a import value\n    return value\n"
        f"def other():\n    from {S}a import value\n",
        shared_a="value = 5\n",
    )
    assert run(program)["main"]() == 5  # type: ignore[operator]


def test_stdlib_imports_stand_once_at_the_top() -> None:
    program = made(
        f"import os\nimport struct\nfrom collections import deque\nfrom {S}a import b\n",
        shared_a="import struct\nfrom collections import deque, OrderedDict\nb = struct.calcsize('I')\n",
    )
    assert [line for line in program.splitlines() if "import" in line] == [
        "from collections import OrderedDict",
        "from collections import deque",
        "from collections import namedtuple",
        "import os",
        "import struct",
    ]


def test_it_is_indented_by_one_blank_and_strings_stay_as_they_are() -> None:
    program = made('def main():\n    if True:\n        return "a\\n        b"\n')
    assert program.endswith("def main():\n if True:\n  return 'a\\n        b'\n")
    assert run(program)["main"]() == "a\n        b"  # type: ignore[operator]


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (f"from {S}a import value\nvalue = 3\n", "names of two modules: value"),
        (f"from {S}a import _hidden\n", "cannot be taken out"),
        (f"from {S}a import value\n_hidden = 1\nclass A:\n    _hidden = 2\n", "has an attribute _hidden"),
        (f"from {S}a import value\n_hidden = 1\ndef f(_hidden):\n    pass\n", "is an argument"),
        (f"from {S}a import value\n_hidden = 1\nprint(_hidden=2)\n", "is an argument"),
        (f"from {S}a import value as other\n", "cannot be taken out"),
        (f"from {S}a import *\n", "cannot be taken out"),
        (f"from {S}a import missing\nprint(missing)\n", "no such name"),
        (f"from {S}a import value\nfrom {S}none import b\n", "is not sent"),
        ("from x11fwd.errors import ProbeError\n", "is not sent"),
        (f"from {S}circle import b\nmain = 1\n", "in a circle"),
        ("from typing import List\ndef main():\n    return List\n", "uses List when it runs"),
        ("def main(a):\n    return f'{a}'\n", "f-string"),
        ("def main(a):\n    if (b := a):\n        return b\n", "f-string or `:=`"),
        (f"from {S}a import value\nfrom zlib import error\n", "another module"),
        (f"from {S}a import value\nimport hidden as _hidden\n", "imported in one module and defined"),
        ("main = '" + "x" * 200_000 + "'\n", "more than 200000"),
    ],
)
def test_modules_that_do_not_fit_together_are_refused(main: str, words: str) -> None:
    with pytest.raises(AssemblyFault, match=words):
        made(
            main,
            shared_a="from struct import error\nvalue = 1\n_hidden = 2\n",
            shared_circle=f"from {R}main import main\nb = main\n",
        )


def test_a_private_name_may_be_that_of_many_modules() -> None:
    program = made(
        f"""
        from {S}a import one
        from {S}b import two
        _size = 3
        def _get():
            global _size
            _size += 0
            return _size
        class _Kind:
            def get(self):
                return self._size + _size
            _other = 5
        def main():
            _Kind._size = 100
            return one(), two(), _get(), _Kind().get(), [_size for _size in (9,)]
        """,
        shared_a="_size = 1\ndef _get():\n    return _size\ndef one():\n    return _get()\n",
        shared_b="_size, _Kind = 2, 7\ndef _get():\n    return _size\ntwo = lambda: _get() + _Kind\n",
    )
    assert run(program)["main"]() == (1, 9, 3, 103, [9])  # type: ignore[operator]


def test_the_variable_of_a_comprehension_is_no_name_of_the_module() -> None:
    node = ast.parse(
        "A, (B, *C) = {one: [two for two in one] for one in ()}, (1, lambda x: (y for y in x))"
    ).body[0]
    assert defined_names(node) == {"A", "B", "C"}
