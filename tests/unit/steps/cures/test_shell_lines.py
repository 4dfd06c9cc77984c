"""Lines of start files that stand for themselves, and those that set one variable and do nothing else."""

from __future__ import annotations

import pytest

from x11fwd.steps.cures.shell_lines import Language, language_of, lines_alone, sets_only

LINE = "export DISPLAY=:0"
INSIDE = {
    "a heredoc": f"cat >f <<EOF\n{LINE}\nEOF\n",
    "a heredoc with tabs": f"cat <<-'end of it' >f\n{LINE}\n\tend of it\n",
    "double quotes": f'text="\n{LINE}\n"\n',
    "single quotes": f"text='it\\\n{LINE}\n'\n",
    "quotes inside a substitution": f'x="$(echo "a\n{LINE}\n")"\n',
    "a substitution": f"x=$(\n{LINE}\n)\n",
    "backticks": f"x=`\n{LINE}\n`\n",
    "a function": f"headless() {{\n{LINE}\n}}\n",
    "a function, brace below": f"function headless\n{{\n{LINE}\n}}\n",
    "a line that goes on": f"true \\\n{LINE}\n",
    "an array": f"words=(\n{LINE}\n)\n",
}
OUTSIDE = {
    "an if": f"if true; then\n{LINE}\nfi\n",
    "a case": f"case $x in\na) true ;;\n(b)\n{LINE}\n;;\nesac\n",
    "behind a heredoc": f"cat <<EOF\n'\"\nEOF\n{LINE}\n",
    "behind a here-string": f"cat <<<EOF\n{LINE}\n",
    "behind a comment with a quote": f"# don't\n{LINE}\n",
    "behind odd quoting": f"x=a\\'b; y='\"'; z=\"'\"; w=$'it\\'s'\n{LINE}\n",
    "behind a length": f"x=${{#y}} # it's\n{LINE}\n",
    "behind arithmetic": f"x=$((1<<2))\n{LINE}\n",
    "behind a one-line function": f"f() {{ true; }}\n{LINE}\n",
    "behind a function": f"f() {{\n  true\n}}\n{LINE}\n",
    "without a last line end": LINE,
    "with carriage returns": f"true\r\n{LINE}\r\n",
    "odd line ends of other alphabets": f"x='a\x0cb\u2028c'\n{LINE}\n",
}


def alone(text: str, language: Language = Language.SH) -> list[str]:
    return [line for _, line in lines_alone(text, language)]


@pytest.mark.parametrize("case", INSIDE)
def test_a_line_is_not_taken_out_of(case: str) -> None:
    assert LINE not in alone(INSIDE[case])


@pytest.mark.parametrize("case", OUTSIDE)
def test_a_line_stands_for_itself_in(case: str) -> None:
    assert LINE in alone(OUTSIDE[case])


def test_fish_functions_keep_their_lines_and_its_ifs_do_not() -> None:
    line = "set -gx DISPLAY :0"
    assert line not in alone(f"function headless\n{line}\nend\n", Language.FISH)
    assert line in alone(f"if true\n{line}\nend\n", Language.FISH)
    assert line in alone(f"function f; true; end\n{line}\n", Language.FISH)
    assert line not in alone(f"{line}\nand echo yes\n", Language.FISH)


def test_a_quote_of_csh_ends_with_its_line() -> None:
    assert "setenv DISPLAY :0" in alone("echo don't\nsetenv DISPLAY :0\n", Language.CSH)
    assert "setenv DISPLAY :0" not in alone("echo 'a\\\nsetenv DISPLAY :0\n", Language.CSH)


SH_YES = (
    "export DISPLAY=:0",
    "DISPLAY=:0",
    "  DISPLAY=:0; export DISPLAY",
    "DISPLAY=:0 && export DISPLAY ;",
    'export DISPLAY="localhost:0.0"  # it\'s old',
    "declare -x DISPLAY=:0",
    "typeset -gx DISPLAY='a b'",
    "export DISPLAY=$(ip route | awk '{print $3}'):0",
    "export DISPLAY=`hostname`:0",
    "export DISPLAY=${HOST}:0#1",
    "unset DISPLAY",
    "unset -v DISPLAY",
    '[ -z "$X" ] && export DISPLAY=:0',
    "[[ -n $X || -n $Y ]] && export DISPLAY=:0",
    'if [ -n "$x" ]; then export DISPLAY=:0; fi',
)
SH_NO = (
    "export A=1 DISPLAY=:0",
    "export DISPLAY=:0 A=1",
    "DISPLAY=:0 xset q",
    "export DISPLAY=:0; startx",
    "export DISPLAY=:0 ;;",
    "export DISPLAY=:0 &&",
    "export DISPLAY=:0 |",
    "export DISPLAY=:0; }",
    "export DISPLAY=:0; if true; then",
    "x) export DISPLAY=:0",
    "unset DISPLAY XAUTHORITY",
    "export DISPLAY",
    "export MY_DISPLAY=:0",
    "export DISPLAY=${DISPLAY:-:0}",
    'export DISPLAY="$DISPLAY"',
    "DISPLAY=:0 >log",
    "make && export DISPLAY=:0",
)


@pytest.mark.parametrize("line", SH_YES)
def test_it_sets_display_and_nothing_else(line: str) -> None:
    assert sets_only(line, "DISPLAY", Language.SH)


@pytest.mark.parametrize("line", SH_NO)
def test_it_does_more_or_less_than_to_set_display(line: str) -> None:
    assert not sets_only(line, "DISPLAY", Language.SH)


def test_the_other_languages() -> None:
    for line in ("setenv DISPLAY :0", "unsetenv DISPLAY", "if ( $?X ) setenv DISPLAY :0", "  setenv DISPLAY"):
        assert sets_only(line, "DISPLAY", Language.CSH), line
    for line in ("setenv DISPLAY :0; startx", "setenv XDISPLAY :0", "if ( 1 ) then"):
        assert not sets_only(line, "DISPLAY", Language.CSH), line
    for line in (
        "set -gx DISPLAY :0",
        "set -x DISPLAY (hostname):0",
        "set -e DISPLAY",
        "export DISPLAY=:0",
    ):
        assert sets_only(line, "DISPLAY", Language.FISH), line
    for line in (
        "set -q DISPLAY",
        "set -l DISPLAY :0",
        "set -q DISPLAY; or set -gx DISPLAY :0",
        "set -gx X DISPLAY",
    ):
        assert not sets_only(line, "DISPLAY", Language.FISH), line


def test_the_name_of_a_file_says_its_language() -> None:
    assert language_of("/home/ana/.config/fish/conf.d/x.fish") is Language.FISH
    assert language_of("/home/ana/.tcshrc") is Language.CSH
    assert language_of("/home/ana/.bashrc.d/10-x") is Language.SH
    assert language_of("/home/ana/.config/environment.d/x.conf") is None
    assert language_of("/home/ana/.ssh/environment") is None
    assert language_of("/home/ana/.pam_environment") is None
