"""The pages as a web site: whole, escaped, and with no way out but the addresses that a page names."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import UsageError
from x11fwd.explain.pages import Page, page_ids, parse_page
from x11fwd.explain.site import site
from x11fwd.pipeline.explain import write_site

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "link", "br", "hr", "img"}
INLINE = {"a", "code", "strong", "em", "small"}


class Checked(HTMLParser):
    """Complains of what the HTML standard forbids, as far as our pages could get there."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        assert text.startswith("<!DOCTYPE html>\n")
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "style", "iframe", "img", "object"}
        if tag in {"p", "h1", "h2", "h3", "ul", "ol", "pre"}:
            assert not set(self.open) & {"p", "h1", "h2", "h3", "pre", *INLINE}, (tag, self.open)
        if tag == "li":
            assert self.open[-1] in {"ul", "ol"}
        if tag == "a":
            assert "a" not in self.open
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        assert not any(name.startswith("on") for name in names)
        values = dict(attrs)
        for name in ("href", "src"):
            if values.get(name) is not None:
                self.links.append(values[name] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert "<" not in data
        assert "&" not in data


def nasty() -> Page:
    return parse_page(
        "nasty-topic",
        '# A <b> & `<code>` "title"\n\nremote\n\n<script>alert(1)</script> & [x](javascript:alert(1)) '
        '[y](https://example.org/?a=1&b="2") `remote-xauth-missing`\n\n'
        '## What you see\n\n    <img src=x onerror=alert(1)> & "\n\n## Cure\n\n3. three\n4. four\n\n   more\n'
        "\n### Under it\n\n> quoted\n\n## Source\n\n- https://github.com/a/b/issues/1\n- x & y\n",
    )


def other() -> Page:
    return parse_page("remote-xauth-missing", "# Other\n\n`F58` · remote\n\nlead `nasty-topic`\n")


def made() -> dict[str, str]:
    return site(
        [nasty(), other()],
        {"nasty-topic": "Advice: a < b.", "remote-xauth-missing": "Found by `x11fwd doctor`."},
    )


def test_text_is_text_and_links_lead_only_to_pages_and_the_web() -> None:
    files = made()
    page = Checked(files["nasty-topic.html"])
    assert set(page.links) == {
        "style.css",
        "index.html",
        "remote-xauth-missing.html",
        "https://example.org/?a=1&b=%222%22",
        "https://github.com/a/b/issues/1",
    }
    text = files["nasty-topic.html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in text
    assert "<title>A &lt;b&gt; &amp; &lt;code&gt; &quot;title&quot; · x11fwd</title>" in text
    assert "<pre><code>&lt;img src=x onerror=alert(1)&gt; &amp; &quot;</code></pre>" in text
    assert '<ol start="3">' in text
    assert "<h3>Under it</h3>" in text


def test_a_page_does_not_lead_to_itself_but_to_the_others_it_names() -> None:
    assert "nasty-topic.html" in Checked(made()["remote-xauth-missing.html"]).links
    assert "remote-xauth-missing.html" not in Checked(made()["remote-xauth-missing.html"]).links


def test_the_index_has_every_page_by_section_and_what_has_no_code_comes_last() -> None:
    index = made()["index.html"]
    Checked(index)
    assert (
        index.index("sshd on the remote") < index.index("remote-xauth-missing.html") < index.index(">More<")
    )
    assert index.index(">More<") < index.index("nasty-topic.html")


def test_the_style_is_for_light_and_dark_and_loads_nothing() -> None:
    style = made()["style.css"]
    assert "prefers-color-scheme: dark" in style
    assert not re.search(r"url\(|@import|http", style)


def test_the_real_pages_make_a_whole_site(tmp_path: Path) -> None:
    assert write_site(tmp_path / "new" / "site") == len(page_ids())
    files = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new/site").iterdir()}
    assert set(files) == {"index.html", "style.css", *(f"{one}.html" for one in page_ids())}
    for name, text in files.items():
        if name.endswith(".html"):
            for link in Checked(text).links:
                assert link in files or link.startswith(("https://", "http://")), (name, link)
    listed = [link for link in Checked(files["index.html"]).links if link.endswith(".html")]
    assert sorted(listed) == sorted(f"{one}.html" for one in page_ids())


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        write_site(tmp_path)
    (tmp_path / "index.html").write_text("<html>mine</html>")
    with pytest.raises(UsageError, match="not empty"):
        write_site(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "thesis.tex"]


def test_a_site_of_ours_is_written_anew_and_what_is_beside_it_stays(tmp_path: Path) -> None:
    write_site(tmp_path)
    index = (tmp_path / "index.html").read_text()
    (tmp_path / "gone-page.html").write_text(index)
    (tmp_path / "own.html").write_text("<html>mine</html>")
    (tmp_path / "CNAME").write_text("plots.example.org")
    (tmp_path / "style.css").write_text("old")
    write_site(tmp_path)
    assert not (tmp_path / "gone-page.html").exists()
    assert (tmp_path / "own.html").read_text() == "<html>mine</html>"
    assert (tmp_path / "CNAME").exists()
    assert (tmp_path / "style.css").read_text() != "old"


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_site(tmp_path / "file" / "site")
