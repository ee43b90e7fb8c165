"""Writes code that looks up each name that the library declares in tamis and tamis::study, the way a user of both by
`using namespace` writes it; nothing is instantiated. names.py INCLUDE_DIR OUTPUT"""
import pathlib
import re
import sys


def declarations(text):
    """The declarations of a header's namespaces but for detail, without their bodies: (namespace, text)."""
    text = re.sub(r"//[^\n]*|^\s*#(?:[^\n\\]|\\.|\\\n)*", "", text, flags=re.M)
    text = re.sub(r"\"(?:\\.|[^\"\\\n])*\"", '""', text)
    open_namespaces, head, depth = [], "", 0
    for token in re.findall(r"TAMIS_BEGIN\w*|TAMIS_END|[{};]|[^{};]+?(?=TAMIS_|[{};]|$)", text):
        if token.startswith("TAMIS_BEGIN"):
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


def arguments(head):
    """As many template arguments as a declaration needs: the parameters without a default."""
    inside, depth, count, plain = head[head.index("<") + 1:], 1, 1, True
    for i, c in enumerate(inside):
        depth += {"<": 1, "(": 1, "{": 1, ">": -1, ")": -1, "}": -1}.get(c, 0)
        if depth == 0 or (depth == 1 and c == "="):
            break
        count += depth == 1 and c == ","
    if depth == 1 and count > 1: # this one has a default, and so have those behind it
        count -= 1
    return "<" + ", ".join(["T"] * count) + ">"


def lookup(kind, name, head):
    templated = head.lstrip().startswith("template")
    if kind == "function":
        return f"{name}(t);"
    if kind == "class template":
        return f"(void){name}{{t}};"
    if kind in ("type", "alias template"):
        return f"using {name}_here [[maybe_unused]] = {name}{arguments(head) if templated else ''};"
    return f"(void){name}{arguments(head) if templated else ''};"


def main(include_dir, output):
    root = pathlib.Path(include_dir)
    found = {}
    for path in sorted(root.rglob("*.hpp")):
        if re.search("/exec/|/mpi[.]|_json", str(path)): # they need a library each
            continue
        for namespace, head in declarations(path.read_text()):
            named = names_of(head) if namespace in ("tamis", "study") else None
            if named and named[1] not in ("static_assert", "sizeof"):
                found.setdefault(named[1], lookup(*named, head))
    lines = ["template <class T>", "void all_names(T t) {", *("    " + line for line in found.values()), "}"]
    pathlib.Path(output).write_text("\n".join(lines) + "\n")


main(*sys.argv[1:])
