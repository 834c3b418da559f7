"""The documentation site. `make docs` builds it into target/docs; a warning is an error."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from pages import header, python, schema  # noqa: E402

import slaclock  # noqa: E402

project = "slaclock"
author = "the slaclock authors"
copyright = "the slaclock authors; MIT or Apache-2.0"
release = version = slaclock.__version__

extensions = ["myst_nb", "sphinx_copybutton", "sphinx.ext.intersphinx"]
exclude_patterns = ["tests/**", "pages/**"]
nitpicky = True
# Names of other libraries: there is no page of ours to link them to, and the site builds without a network.
nitpick_ignore_regex = [
    ("py:.*", r"(datetime|date|time|timedelta|ZoneInfo|Path|PathLike|Any|Self|Literal|object|R|Exception|bytes)"),
    ("py:.*", r"(Mapping|Iterable|Iterator|Sequence|Callable|BaseException|TracebackType|type|optional)"),
    ("c:identifier", r"(u?int\d+_t|size_t|ArrowSchema|ArrowArray|ArrowArrayStream)"),
]
intersphinx_mapping: dict[str, tuple[str, None]] = {}

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist", "attrs_inline"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
nb_execution_mode = "off"
nb_merge_streams = True
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

html_theme = "furo"
html_title = f"slaclock {release}"
html_static_path = ["static"]
html_css_files = ["slaclock.css"]
html_copy_source = False
html_show_sourcelink = False
pygments_style = "default"
pygments_dark_style = "monokai"
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
c_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
linkcheck_ignore = [r"https?://"]


def write_pages(*_: object) -> None:
    """Makes the pages that are made from something else, and copies the notebook to where Sphinx sees it."""
    reference = HERE / "reference"
    reference.mkdir(exist_ok=True)
    made = {
        "c-header.md": header.page(header.read(ROOT / "include" / "slaclock.h")),
        "policy-schema.md": schema.page(schema.read(HERE / "policy.schema.json")),
        "python.md": python.page(slaclock, ROOT / "python" / "slaclock" / "_slaclock.pyi"),
    }
    for name, text in made.items():
        path = reference / name
        # An unchanged page keeps its time, so that a second build has nothing to do.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for notebook in (ROOT / "examples" / "notebooks").glob("*.ipynb"):
        shutil.copy2(notebook, reference / notebook.name)


def list_pages(_: object, name: str, source: list[str]) -> None:
    """Fits the plain pages of this folder into the site.

    One that the contents do not name is listed last, among those that say how it works. A link to a file outside the
    folder, which is no page, becomes its path in the source tree.
    """
    if "/" not in name:
        source[0] = re.sub(r"\[[^\]]+\]\(\.\./([^)#]+)[^)]*\)", r"`\1`", source[0])
    if name == "index":
        pages = {path.stem for path in HERE.glob("*.md")} - {"index"}
        others = sorted(page for page in pages if f"\n{page}\n" not in source[0])
        source[0] = source[0].replace("\ndesign\n", "\n".join(["", "design", *others, ""]))


def setup(app: object) -> dict[str, bool]:
    app.connect("builder-inited", write_pages)  # type: ignore[attr-defined]
    app.connect("source-read", list_pages)  # type: ignore[attr-defined]
    return {"parallel_read_safe": True}
