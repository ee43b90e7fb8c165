"""The version, and a release: see docs/releasing.md.

    python3 packaging/release.py check             all places agree on the version
    python3 packaging/release.py set 0.2.0         writes it into all of them (the changelog's heading with today's date)
    python3 packaging/release.py make FOLDER       archive, single headers, recipes with their hashes, SHA256SUMS; each tried
    python3 packaging/release.py make FOLDER --site BUILT_SITE     and the site
    python3 packaging/release.py make FOLDER --binaries OUT        and what packaging/binaries.sh OUT made; both may be given
    python3 packaging/release.py home https://...  writes the home page everywhere; CMakeLists.txt's HOMEPAGE_URL is the one place
                                                   that others are compared with
"""
import datetime
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLACES = [ # file, what stands around the version
    ("meson.build", r"(project\('tamis', 'cpp', version: ')([\d.]+)(')"),
    ("CITATION.cff", r"(\nversion: )([\d.]+)(\n)"),
    ("CHANGELOG.md", r"(\n## )([\d.]+)( )"),
    ("README.md", r"(`tamis/)(\d+\.\d+\.\d+)(` in your)"),
    ("docs/packages.md", r"(--requires tamis/)([\d.]+)( )"),
    ("packaging/vcpkg/tamis/vcpkg.json", r'("version": ")([\d.]+)(")'),
    ("packaging/vcpkg/registry/ports/tamis/vcpkg.json", r'("version": ")([\d.]+)(")'),
    ("packaging/conan/index/config.yml", r'(  ")([\d.]+)(":)'),
    ("packaging/conan/index/all/conandata.yml", r'(  ")([\d.]+)(":)'),
    ("packaging/conan/index/all/conandata.yml", r"(releases/)([\d.]+)(/)"),
    ("packaging/conan/index/all/conandata.yml", r"(/tamis-)([\d.]+)(\.tar)"),
    ("examples/pytorch/pyproject.toml", r'(\nversion = ")([\d.]+)(")'),
    ("examples/pytorch/tamis_torch/__init__.py", r'(__version__ = ")([\d.]+)(")'),
    ("packaging/meson/tamis.wrap", r"(releases/)([\d.]+)(/)"),
    ("packaging/meson/tamis.wrap", r"(/tamis-)([\d.]+)(\.tar)"),
    ("packaging/meson/tamis.wrap", r"(directory = tamis-)([\d.]+)(\n)"),
    ("packaging/meson/tamis.wrap", r"(source_filename = tamis-)([\d.]+)(\.tar)"),
]
# The home page, and what lies below it: HOME/releases/VERSION/..., HOME/source/...
HOME_PLACES = ["CMakeLists.txt", "conanfile.py", "CITATION.cff", "docs/site/conf.py", "packaging/vcpkg/tamis/vcpkg.json",
               "packaging/vcpkg/registry/ports/tamis/vcpkg.json", "packaging/vcpkg/registry/ports/tamis/portfile.cmake",
               "packaging/conan/index/all/conanfile.py", "packaging/conan/index/all/conandata.yml", "packaging/meson/tamis.wrap"]
MINOR = [("docs/packages.md", r"(`find_package\(tamis )(\d+\.\d+)(\)`)"), ("docs/packages.md", r"(takes )(\d+\.\d+)(\.x alone)")]


def version():
    return ".".join(re.findall(r"#define TAMIS_VERSION_\w+ (\d+)", (ROOT / "include/tamis/version.hpp").read_text()))


def home():
    return re.search(r'HOMEPAGE_URL "([^"]+)"', (ROOT / "CMakeLists.txt").read_text()).group(1)


def expected(version_text):
    minor = ".".join(version_text.split(".")[:2])
    return [(f, p, version_text) for f, p in PLACES] + [(f, p, minor) for f, p in MINOR]


def check():
    wrong = []
    for file, pattern, wanted in expected(version()):
        found = re.search(pattern, (ROOT / file).read_text())
        if not found and file == "README.md":
            continue # its words are free
        if not found or found.group(2) != wanted:
            wrong.append(f"{file} says {found.group(2) if found else 'nothing'}; include/tamis/version.hpp says {wanted}")
    wrong += [f"{file} does not have the home page {home()}, which is CMakeLists.txt's HOMEPAGE_URL"
              for file in HOME_PLACES if home() not in (ROOT / file).read_text()]
    print("\n".join(wrong) or f"all places say {version()}")
    return not wrong


def write(new):
    if not re.fullmatch(r"\d+\.\d+\.\d+", new):
        raise SystemExit(f"a version is MAJOR.MINOR.PATCH, not {new}")
    header = ROOT / "include/tamis/version.hpp"
    text = header.read_text()
    for name, number in zip(("MAJOR", "MINOR", "PATCH"), new.split(".")):
        text = re.sub(rf"(#define TAMIS_VERSION_{name}) \d+", rf"\1 {number}", text)
    header.write_text(text)
    for file, pattern, wanted in expected(new):
        path = ROOT / file
        path.write_text(re.sub(pattern, rf"\g<1>{wanted}\g<3>", path.read_text(), count=1))
    changelog = ROOT / "CHANGELOG.md"
    today = datetime.date.today().isoformat()
    changelog.write_text(re.sub(rf"\n## {new} .*", f"\n## {new} ({today})", changelog.read_text(), count=1))
    citation = ROOT / "CITATION.cff"
    citation.write_text(re.sub(r"\ndate-released: .*", f"\ndate-released: {today}", citation.read_text()))


def write_home(new):
    if not re.fullmatch(r"https://[^\s\"']+[^/\s\"']", new):
        raise SystemExit(f"a home page is https://... without a slash at its end, not {new}")
    old = home()
    for file in HOME_PLACES:
        path = ROOT / file
        path.write_text(path.read_text().replace(old, new))


def run(*command, **more):
    subprocess.run([str(one) for one in command], check=True, **more)


def hash_of(path, kind):
    return hashlib.new(kind, path.read_bytes()).hexdigest()


def make(folder, site, binaries):
    if not check():
        raise SystemExit(1)
    if subprocess.run(["git", "-C", ROOT, "status", "--porcelain"], capture_output=True, text=True).stdout.strip():
        raise SystemExit("the checkout has changes that are not committed: a release is made of a commit")
    v = version()
    folder.mkdir(parents=True)
    archive = folder / f"tamis-{v}.tar.gz"
    run("git", "-C", ROOT, "archive", "--format=tar.gz", f"--prefix=tamis-{v}/", "-o", archive.resolve(), "HEAD")
    run(sys.executable, ROOT / "packaging/single_header/amalgamate.py", folder)
    if site:
        with tarfile.open(folder / f"tamis-{v}-site.tar.gz", "w:gz") as packed:
            packed.add(site, f"tamis-{v}-site")
    for path in sorted(binaries.iterdir()) if binaries else []:
        if v not in path.name:
            raise SystemExit(f"{path} is not of version {v}: packaging/binaries.sh makes them of this checkout")
        shutil.copy(path, folder)
    recipes = folder / "recipes"
    shutil.copytree(ROOT / "packaging/conan/index", recipes / "conan/tamis")
    shutil.copytree(ROOT / "packaging/vcpkg/registry/ports/tamis", recipes / "vcpkg/tamis")
    shutil.copy(ROOT / "packaging/meson/tamis.wrap", recipes / "tamis.wrap")
    for path, old, new in ((recipes / "conan/tamis/all/conandata.yml", r"0{64}", hash_of(archive, "sha256")),
                           (recipes / "vcpkg/tamis/portfile.cmake", r"SHA512 0\b", "SHA512 " + hash_of(archive, "sha512")),
                           (recipes / "tamis.wrap", r"0{64}", hash_of(archive, "sha256"))):
        path.write_text(re.sub(old, new, path.read_text()))
    files = sorted(path for path in folder.iterdir() if path.is_file())
    (folder / "SHA256SUMS").write_text("".join(f"{hash_of(path, 'sha256')}  {path.name}\n" for path in files))
    tried_from(folder, v)
    print("\n".join(path.name for path in sorted(folder.iterdir())))
    if home().endswith(".example"):
        print(f"NOT PUBLIC YET: the home page, {home()}, is a placeholder: packaging/release.py home https://...")


def tried_from(folder, v):
    """What was made is what a user gets: unpacked in an empty folder, installed, compiled, run."""
    with tempfile.TemporaryDirectory() as empty:
        empty = pathlib.Path(empty)
        run("sha256sum", "--quiet", "-c", "SHA256SUMS", cwd=folder)
        run("tar", "-xzf", (folder / f"tamis-{v}.tar.gz").resolve(), "-C", empty)
        source = empty / f"tamis-{v}"
        program = source / "packaging/program/main.cpp"
        run("c++", "-std=c++20", "-DTAMIS_NO_ISA_NOTE", "-DSINGLE_HEADER", f"-I{folder.resolve()}", program, "-o", empty / "one")
        run(empty / "one")
        run("cmake", "-S", source, "-B", empty / "build", "-D", "TAMIS_BUILD_TESTS=OFF", "-D", "TAMIS_BUILD_BENCH=OFF", "-D",
            "TAMIS_BUILD_EXAMPLES=OFF", stdout=subprocess.DEVNULL)
        run("cmake", "--install", empty / "build", "--prefix", empty / "prefix", stdout=subprocess.DEVNULL)
        run("c++", "-std=c++20", "-DTAMIS_NO_ISA_NOTE", f"-I{empty / 'prefix/include'}", program, "-o", empty / "two")
        run(empty / "two")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments == ["check"]:
        sys.exit(0 if check() else 1)
    elif len(arguments) == 2 and arguments[0] == "set":
        write(arguments[1])
        sys.exit(0 if check() else 1)
    elif len(arguments) == 2 and arguments[0] == "home":
        write_home(arguments[1])
        sys.exit(0 if check() else 1)
    elif len(arguments) in (2, 4, 6) and arguments[0] == "make" and set(arguments[2::2]) <= {"--site", "--binaries"}:
        more = dict(zip(arguments[2::2], map(pathlib.Path, arguments[3::2])))
        make(pathlib.Path(arguments[1]), more.get("--site"), more.get("--binaries"))
    else:
        raise SystemExit(__doc__)
