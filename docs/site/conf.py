# Sphinx: the pages of docs/ as a site of static files, made by docs/site/build.sh.
import pathlib
import re

root = pathlib.Path(__file__).resolve().parents[2]
project = "tamis"
author = copyright = "The tamis authors"
version = release = ".".join(re.findall(r"#define TAMIS_VERSION_\w+ (\d+)", (root / "include/tamis/version.hpp").read_text()))

extensions = ["myst_parser", "breathe"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["site", "reference/generated.md"]
html_theme = "furo"
html_title = f"tamis {version}"
html_static_path = ["site/static"]
html_css_files = ["tamis.css"]
html_copy_source = False
html_show_sourcelink = False
breathe_default_project = "tamis"
breathe_default_members = ("members", "undoc-members")
breathe_show_include = True
cpp_maximum_signature_line_length = 100
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
suppress_warnings = ["myst.header"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"

# Links out of docs/ (to headers, examples, tests) are files of the repository: what a page names, a reader can open.
repository = "https://tamis.example/source/"


def outside(app, docname, source):
    depth = docname.count("/")
    def link(match):
        path = match.group(2)
        while path.startswith("../"):
            path = path[3:]
        return f"{match.group(1)}({repository}{path})"
    source[0] = re.sub(r"(\[[^\]]*\])\(((?:\.\./){%d}[^)\s]+)\)" % (depth + 1), link, source[0])


def setup(app):
    app.connect("source-read", outside)
