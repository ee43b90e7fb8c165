"""The names that the library declares in tamis and tamis::study, one a line: kind, header, name. With a second argument,
the names of which this file does not speak; it should use all of them. names.py INCLUDE_DIR [USES.cpp]"""
import pathlib
import re
import sys


def declarations(text):
    """The declarations of a header's namespaces but for detail, without their bodies: (namespace, text)."""
    text = re.sub(r"//[^\n]*|^\s*#(?:[^\n\\]|\\.|\\\n)*", "", text, flags=re.M)
    text = re.sub(r"\"(?:\\.|[^\"\\\n])*\"", '""', text)
    open_namespaces, head, depth = [], "", 0
    for token in re.findall(r"TAMIS_BEGIN|TAMIS_END|[{};]|[^{};]+?(?=TAMIS_|[{};]|$)", text):
        if token == "TAMIS_BEGIN":
            open_namespaces, head = ["tamis"], ""
        elif token == "TAMIS_END":
            open_namespaces = []
        elif depth:
            depth += (token == "{") - (token == "}")
            if not depth:
                yield open_namespaces[-1] if open_namespaces else "", head
                head = ""
        elif token == "{":
            namespace = re.search(r"\bnamespace\s+(\w+)?\s*$", head)
            if namespace:
                open_namespaces.append(namespace.group(1) or "")
                head = ""
            else:
                depth = 1
        elif token == "}":
            open_namespaces.pop()
            head = ""
        elif token == ";":
            yield open_namespaces[-1] if open_namespaces else "", head
            head = ""
        else:
            head += token


def names_of(head):
    """(kind, name) of a declaration; nothing for specialisations, deduction guides and operators."""
    head = " ".join(head.split())
    templated = head.startswith("template")
    if re.match(r"template ?< ?>", head):
        return None
    plain = head
    while "<" in plain: # arguments and parameters of templates
        shorter = re.sub(r"<[^<>]*>", " @ ", plain)
        if shorter == plain:
            break
        plain = shorter
    match = re.search(r"\bconcept (\w+)", plain)
    if match:
        return "concept", match.group(1)
    match = re.search(r"\busing (\w+) =", plain)
    if match:
        return ("alias template" if templated else "type"), match.group(1)
    match = re.search(r"(?:^|[ )])(?:class|struct|enum class|enum|union) (\w+)(?: final)?(?: ?:.*)?$", plain)
    if match:
        return ("class template" if templated else "type"), match.group(1)
    if re.search(r"\b(?:class|struct) \w+ @", plain) or "operator" in plain or "->" in plain:
        return None
    match = re.search(r"\bconstexpr [\w: @&*]*?(\w+) (?:@ )?= ", plain + " ")
    if match and "(" not in plain.split("=")[0]:
        return "variable", match.group(1)
    match = re.search(r"(\w+)\(", plain)
    while match and match.group(1) in ("requires", "noexcept", "decltype", "alignas"):
        match = re.compile(r"(\w+) ?\(").search(plain, match.end())
    return ("function", match.group(1)) if match else None


def main(include_dir, uses=None):
    root = pathlib.Path(include_dir)
    found = {}
    for path in sorted(root.rglob("*.hpp")):
        name = str(path.relative_to(root))
        if re.search("/exec/|_json", name): # they need a library each
            continue
        for namespace, head in declarations(path.read_text()):
            named = names_of(head) if namespace in ("tamis", "study") else None
            if named and named[1] != "static_assert":
                found.setdefault(named[1], (named[0], name))
    known = set(re.findall(r"\w+", re.sub(r"//[^\n]*", "", pathlib.Path(uses).read_text()))) if uses else set()
    missing = [f"{kind}\t{header}\t{name}" for name, (kind, header) in sorted(found.items()) if name not in known]
    print("\n".join(missing))
    return 1 if missing and uses else 0


sys.exit(main(*sys.argv[1:]))
