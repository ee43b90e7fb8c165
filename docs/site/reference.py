"""A page of the reference for each folder of include/tamis, from doxygen's XML: reference.py XML_FOLDER OUTPUT_FOLDER"""
import pathlib
import sys
import xml.etree.ElementTree as tree

# Members that a concept asks for are described with the concept.
CONCEPTS = {"format": "What every format has (`name`, `storage`, `row_bytes`, `at` ...) is described with the concept in format.hpp.",
            "rule": "`cut_of`, `select` and what they need of memory are described with the concepts in rule.hpp.",
            "score": "`operator()`, `lanes` and `places` are described with the concept in score.hpp.",
            "study/meter": "`operator()`, `merge`, `begin`, `state` and `problem` are described with the concept in study/meter.hpp."}
PARTS = [("", "Ground floor", "values, memory, threads, errors, masks"), ("score", "Scores", "values to magnitudes"),
         ("rule", "Rules and selectors", "magnitudes to a cut, values to a mask"), ("mask", "Masks", ""),
         ("ffn", "FFN", "sites, policies, weights, calls"), ("ffn/gating", "Gatings", ""),
         ("format", "Formats", "how weights are stored"), ("exec", "Executors", "OpenMP, oneTBB"),
         ("shard", "Shards", "masks over values that several ranks share"),
         ("study", "Study", ""), ("study/meter", "Meters", ""), ("study/calibrate", "Calibration", ""),
         ("study/predictor", "Predictors", ""), ("study/laws", "Laws", "")]


def main(xml, out):
    files, free_functions = {}, []
    for compound in tree.parse(xml / "index.xml").getroot().iter("compound"):
        if compound.get("kind") != "file":
            continue
        root = tree.parse(xml / f"{compound.get('refid')}.xml").getroot().find("compounddef")
        path = root.find("location").get("file")
        path = path.split("include/")[-1]
        path = path[len("tamis/"):] if path.startswith("tamis/") else path
        # Classes and concepts of the file, then what stands free in it.
        classes = [(c.tag, "".join(c.itertext())) for c in root if c.tag in ("innerclass", "innerconcept")]
        free = []
        for namespace in root.iter("innernamespace"):
            space = tree.parse(xml / f"{namespace.get('refid')}.xml").getroot().find("compounddef")
            for member in space.iter("memberdef"):
                where = member.find("location").get("file", "").split("include/")[-1]
                if where.removeprefix("tamis/") == path and "detail" not in space.findtext("compoundname"):
                    free.append((member.get("kind"), f"{space.findtext('compoundname')}::{member.findtext('name')}",
                                 member.findtext("argsstring") or ""))
        free_functions += free
        files[path] = (classes, free)

    lines = []
    for folder, title, what in PARTS:
        here = {p: f for p, f in sorted(files.items()) if str(pathlib.PurePosixPath(p).parent) == (folder or ".")}
        blocks = []
        for path, (classes, free) in here.items():
            body, seen = [], set()
            for tag, name in classes:
                if "detail::" in name or "<" in name or name in seen or is_class(xml, name.rpartition("::")[0]):
                    continue # a member is shown with its class
                seen.add(name)
                kind = "doxygenconcept" if tag == "innerconcept" else "doxygenclass"
                if tag == "innerclass":
                    body.append(f"```{{doxygenstruct}} {name}\n:members:\n:undoc-members:\n```\n" if is_struct(xml, name)
                                else f"```{{doxygenclass}} {name}\n:members:\n:undoc-members:\n```\n")
                else:
                    body.append(f"```{{{kind}}} {name}\n```\n")
            for kind, name, arguments in free:
                key = (kind, name, arguments)
                if name.count("::") > 2 or "operator" in name or "@" in name or key in seen or name.split("::")[-1] == "":
                    continue
                seen.add(key)
                if kind == "function":
                    many = overloaded(free_functions, name)
                    body.append(f"```{{doxygenfunction}} {name}{arguments if many else ''}\n```\n")
                elif kind in ("enum", "typedef", "variable"):
                    body.append(f"```{{doxygen{kind}}} {name}\n```\n")
            if body:
                blocks.append(f"## tamis/{path}\n\n" + "\n".join(body))
        if blocks:
            name = (folder or "ground_floor").replace("/", "_")
            (out / f"{name}.md").write_text(f"# {title}\n\n{what}\n\n{CONCEPTS.get(folder, '')}\n\n" + "\n".join(blocks))
            lines.append((name, title, what))
    (out / "generated.md").write_text(
        "".join(f"- [{title}]({name}.md): {what or title.lower()}\n" for name, title, what in lines)
        + "\n```{toctree}\n:hidden:\n\n" + "\n".join(name for name, _, _ in lines) + "\n```\n")


STRUCTS = {}


def is_class(xml, name):
    return is_struct(xml, name) or STRUCTS.get(name) == "class"


def is_struct(xml, name):
    if not STRUCTS:
        for compound in tree.parse(xml / "index.xml").getroot().iter("compound"):
            STRUCTS[compound.findtext("name")] = compound.get("kind")
    return STRUCTS.get(name) == "struct"


def overloaded(free, name):
    return sum(1 for kind, other, _ in free if kind == "function" and other == name) > 1


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
