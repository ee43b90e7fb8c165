#!/usr/bin/env bash
# Conan 2 without a remote: xsimd and Eigen are the system's, first named by the profile, then by stand-in recipes; a
# consumer by CMakeDeps and CMakeToolchain; an editable package; the recipe in the shape of the central index.
source "$(dirname "$0")/../common.sh"
version_of() { sed -n "s/^#define $2 *//p" "$1" | paste -sd .; }
[ -e /usr/include/xsimd/xsimd.hpp ] && [ -e /usr/include/eigen3/Eigen/Core ] || skip "xsimd and Eigen are not in /usr/include"
xsimd=$(version_of /usr/include/xsimd/config/xsimd_config.hpp 'XSIMD_VERSION_[A-Z]*')
eigen=$(version_of /usr/include/eigen3/Eigen/src/Core/util/Macros.h 'EIGEN_[WM][A-Z]*_VERSION')
version=$(version_of "$checkout/include/tamis/version.hpp" 'TAMIS_VERSION_[A-Z]*')
python_tool 'conan>=2.1'

export CONAN_HOME=$work/home
{ conan profile detect; } >/dev/null 2>&1
sed -i 's/^build_type=.*/build_type=Debug/' "$CONAN_HOME/profiles/default" # seven programs, in a third of the time
profile=$work/profile
{ cat "$CONAN_HOME/profiles/default"; printf '[platform_requires]\nxsimd/%s\neigen/%s\n' "$xsimd" "$eigen"; } >"$profile"
with20=(-nr -s compiler.cppstd=20)
# Works in a copy, so that what a command leaves in a checkout is seen.
copy=$work/checkout
mkdir "$copy"
git -C "$checkout" ls-files -co --exclude-standard -z | (cd "$checkout" && xargs -0 cp --parents -t "$copy" 2>/dev/null) || true
(cd "$copy" && git init -q && git add -A && git -c user.name=t -c user.email=t@t.example commit -qm t)
clean() { [ -z "$(git -C "$copy" status --porcelain)" ] || { git -C "$copy" status --porcelain; echo "left in the checkout"; exit 1; }; }
quietly() { "$@" >"$work/log" 2>&1 || { tail -40 "$work/log"; exit 1; }; }

cd "$copy"
say "conan create, the system's xsimd in the profile"
quietly conan create . -pr:a "$profile" "${with20[@]}"
grep right "$work/log"
quietly conan create . -pr:a "$profile" "${with20[@]}" -o '&:with_eigen=True'
grep right "$work/log"
clean
conan list "tamis/$version:*" -f json >"$work/list.json" 2>/dev/null
[ "$(python3 -c "
import json; d = json.load(open('$work/list.json'))['Local Cache']['tamis/$version']['revisions']
print(sum(len(r['packages']) for r in d.values()))")" = 2 ] || { echo "with_eigen does not count in the package's id"; exit 1; }
folder=$(conan cache path "tamis/$version:$(python3 -c "
import json; d = json.load(open('$work/list.json'))['Local Cache']['tamis/$version']['revisions']
print(next(k for r in d.values() for k, p in r['packages'].items() if p['info'].get('options', {}).get('with_eigen') == 'False'))")" 2>/dev/null)
[ "$(find "$folder" -name 'LICENSE*' | wc -l)" = 1 ] || { echo "the licence lies more than once in the package"; exit 1; }
[ ! -e "$folder/include/tamis/eigen.hpp" ]

say "refusals"
sed '/cppstd/d' "$profile" >"$work/no_standard"
refuses 'names no standard' conan create . -pr:a "$work/no_standard" -nr
refuses 'C++' conan create . -pr:a "$profile" -nr -s compiler.cppstd=17

say "conan build in the checkout leaves nothing beside build/"
quietly conan build . -pr:a "$profile" "${with20[@]}"
clean

say "a consumer, with the package and with an editable one"
consumer() {
    rm -rf "$work/consumer" && mkdir "$work/consumer" && cd "$work/consumer"
    cp "$copy/packaging/program/main.cpp" .
    cp "$copy/packaging/conan/test_package/CMakeLists.txt" .
    printf '[requires]\ntamis/%s\n[options]\ntamis/*:with_eigen=%s\n[generators]\nCMakeDeps\nCMakeToolchain\n[layout]\ncmake_layout\n' "$version" "$1" >conanfile.txt
    sed -i 's/add_executable(example main.cpp)/add_executable(example main.cpp)\ntarget_link_libraries(example PRIVATE tamis::native)/' CMakeLists.txt
    quietly conan install . -pr:a "$profile" "${with20[@]}" --build=never
    quietly cmake -S . -B build/Debug -D CMAKE_BUILD_TYPE=Debug -D WITH_EIGEN="$1" \
        -D CMAKE_TOOLCHAIN_FILE="$work/consumer/build/Debug/generators/conan_toolchain.cmake"
    quietly cmake --build build/Debug
    ./build/Debug/example
    cd "$copy"
}
consumer True
# Without the option a consumer is not served by an Eigen that the host happens to have.
cd "$work/consumer" && sed -i 's/=True/=False/' conanfile.txt && rm -rf build
quietly conan install . -pr:a "$profile" "${with20[@]}" --build=never
refuses 'with_eigen in Conan' cmake -S . -B build/Debug -D CMAKE_BUILD_TYPE=Debug -D WITH_EIGEN=True \
    -D CMAKE_TOOLCHAIN_FILE="$work/consumer/build/Debug/generators/conan_toolchain.cmake"
cd "$copy"
quietly conan editable add .
consumer False
quietly conan editable remove .
clean

say "stand-in recipes for xsimd and Eigen"
for name in xsimd eigen; do
    quietly conan create packaging/conan/system --name $name --version "${!name}" "${with20[@]}"
done
quietly conan create . "${with20[@]}" -o '&:with_eigen=True'
grep right "$work/log"

say "the central index's recipe, its sources an archive by hash"
recipe=$work/index
cp -r packaging/conan/index "$recipe"
git -C "$copy" archive --prefix="tamis-$version/" -o "$work/tamis.tar.gz" HEAD
printf 'sources:\n  "%s":\n    url: "file://%s"\n    sha256: "%s"\n' "$version" "$work/tamis.tar.gz" \
    "$(sha256sum "$work/tamis.tar.gz" | cut -d' ' -f1)" >"$recipe/all/conandata.yml"
for eigen_too in True False; do
    quietly conan create "$recipe/all" --version "$version" "${with20[@]}" -o "&:with_eigen=$eigen_too"
    grep ' active, y' "$work/log"
done
clean
