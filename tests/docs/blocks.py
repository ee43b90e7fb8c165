"""Writes a program of every C++ block of the pages: blocks.py ROOT OUTPUT PAGE...

The blocks of a page run one behind the other, in a function of the page with what tests/docs/given.hpp gives. What a reader
need not see stands in a comment: <!-- cpp ... -->. A block behind <!-- namespace --> stands before the function; #include lines go
to the top; <!-- not run: why --> leaves one out."""
import pathlib
import re
import sys

# The pages are for readers: what a block declares is not always used, and stands for itself.
WARNINGS = "".join(f'#pragma GCC diagnostic ignored "-W{name}"\n' for name in
                   ("shadow", "unused-variable", "unused-but-set-variable", "conversion", "sign-conversion"))
PART = re.compile(r"<!-- cpp\n(?P<hidden>.*?)-->|(?P<mark><!-- (?P<word>namespace|not run: [^>]*) -->\s*)?"
                  r"```cpp\n(?P<shown>.*?)```", re.S)


def program(root, pages):
    includes, functions = set(), []
    for page in pages:
        text = (root / page).read_text()
        outside, inside = [], []
        for part in PART.finditer(text):
            word = part.group("word") or ""
            if word.startswith("not run"):
                continue
            group = "hidden" if part.group("hidden") is not None else "shown"
            line = text.count("\n", 0, part.start(group)) + 1
            lines = part.group(group).splitlines()
            includes.update(one for one in lines if one.startswith("#include"))
            code = "\n".join("" if one.startswith("#include") else one for one in lines)
            (outside if word == "namespace" else inside).append(f'#line {line} "{page}"\n{code}\n')
        if inside or outside:
            name = re.sub(r"\W", "_", page)
            functions.append(f"namespace {name} {{\nusing namespace tamis;\n{''.join(outside)}"
                             f"int run(docs_given& in_docs) {{\n    DOCS_GIVEN(in_docs)\n    {{\n{''.join(inside)}    }}\n    return 0;\n}}\n}}\n"
                             f'TEST_CASE("{page}") {{\n    docs_given in_docs;\n    CHECK({name}::run(in_docs) == 0);\n}}\n')
    return WARNINGS + "\n".join(sorted(includes)) + '\n#include "docs/given.hpp"\n\n' + "\n".join(functions)


if __name__ == "__main__":
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = program(root, sys.argv[3:])
    if not output.exists() or output.read_text() != text:
        output.write_text(text)
