# Finds what the library stands on. One file for the build and for the installed package.
#
# Both packages are asked for without a version: their version files accept the same major only, and several
# majors are good. The numbers are checked here by hand. What is wrong is said in `tamis_problem`.

macro(tamis_check_version name version least below)
    if(NOT "${version}" STREQUAL "" AND ("${version}" VERSION_LESS ${least} OR NOT "${version}" VERSION_LESS ${below}))
        set(tamis_problem "tamis needs ${name} >= ${least} and < ${below}; found ${version}")
    endif()
endmacro()

# Another tamis may be in this build already, by find_package, add_subdirectory or FetchContent in any order. The first
# one stays and serves all, if its interface is the one that is asked for now (before 1.0: the same minor version).
macro(tamis_check_present version from)
    unset(tamis_problem)
    get_target_property(tamis_present tamis::tamis tamis_version)
    if(NOT tamis_present)
        set(tamis_present "of a version that does not say")
    endif()
    string(REGEX MATCH "^[0-9]+[.][0-9]+" tamis_present_interface "${tamis_present}")
    string(REGEX MATCH "^[0-9]+[.][0-9]+" tamis_wanted_interface "${version}")
    if(NOT tamis_present_interface STREQUAL tamis_wanted_interface)
        string(CONCAT tamis_problem "this build has tamis ${tamis_present} already, and one build holds one tamis; "
            "${version} was asked for, from ${from}. Take the same for all: one FetchContent_Declare(tamis ...) or "
            "find_package(tamis) in the topmost project, before the others.")
    endif()
    unset(tamis_present)
    unset(tamis_present_interface)
    unset(tamis_wanted_interface)
endmacro()

# In a sub-project the parent, too, has to see an imported target that was found here: `scope` is GLOBAL then.
macro(tamis_show_to_parent target scope)
    get_target_property(tamis_imported ${target} IMPORTED)
    if(tamis_imported AND "${scope}" STREQUAL "GLOBAL")
        set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
    unset(tamis_imported)
endmacro()

# conan, vcpkg or nothing: whose toolchain file this build has, so who has to bring what is missing.
macro(tamis_packages_come_by manager)
    set(${manager} "")
    if(DEFINED VCPKG_TARGET_TRIPLET OR "${CMAKE_TOOLCHAIN_FILE}" MATCHES "vcpkg[.]cmake$")
        set(${manager} vcpkg)
    elseif("${CMAKE_TOOLCHAIN_FILE}" MATCHES "conan_toolchain[.]cmake$" OR DEFINED CONAN_RUNTIME_LIB_DIRS)
        set(${manager} conan)
    endif()
endmacro()

# Makes a target `xsimd`. A project above that brought its own keeps it.
macro(tamis_find_xsimd scope)
    unset(tamis_problem)
    if(NOT TARGET xsimd)
        find_package(xsimd CONFIG QUIET)
        if(NOT xsimd_FOUND)
            tamis_packages_come_by(tamis_manager)
            if(tamis_manager STREQUAL "vcpkg")
                set(tamis_way_out "Add \"xsimd\" to the dependencies in vcpkg.json, or: vcpkg install xsimd.")
            elseif(tamis_manager STREQUAL "conan")
                string(CONCAT tamis_way_out "Add the generator CMakeDeps and require tamis or \"xsimd/[>=8.1 <15]\"; "
                    "where Conan has no xsimd but the system does, name it in the profile under [platform_requires].")
            else()
                string(CONCAT tamis_way_out "On Debian and Ubuntu: sudo apt-get install libxsimd-dev. If it lies in an "
                    "unusual place, name that in CMAKE_PREFIX_PATH.")
            endif()
            string(CONCAT tamis_problem "tamis needs xsimd (https://github.com/xtensor-stack/xsimd), which was not "
                "found. ${tamis_way_out}")
            unset(tamis_manager)
            unset(tamis_way_out)
        else()
            if(NOT TARGET xsimd)
                add_library(xsimd INTERFACE IMPORTED)
                target_link_libraries(xsimd INTERFACE xsimd::xsimd)
            endif()
            tamis_show_to_parent(xsimd "${scope}")
        endif()
    endif()
    if(TARGET xsimd)
        tamis_check_version(xsimd "${xsimd_VERSION}" 8.1 15)
        # Debian's xsimd names a library xtl, which Debian does not ship and tamis does not use.
        get_target_property(tamis_xsimd_links xsimd INTERFACE_LINK_LIBRARIES)
        if("xtl" IN_LIST tamis_xsimd_links AND NOT TARGET xtl)
            list(REMOVE_ITEM tamis_xsimd_links xtl)
            set_target_properties(xsimd PROPERTIES INTERFACE_LINK_LIBRARIES "${tamis_xsimd_links}")
        endif()
        unset(tamis_xsimd_links)
    endif()
endmacro()

# Makes the targets `Eigen3::Eigen` and `tamis::eigen` if Eigen is there. Imported: so a library that links it can be
# exported, and whoever finds that library finds this one by find_package(tamis COMPONENTS eigen).
macro(tamis_find_eigen scope)
    unset(tamis_problem)
    if(NOT TARGET Eigen3::Eigen)
        find_package(Eigen3 CONFIG QUIET)
        if(TARGET Eigen3::Eigen)
            tamis_show_to_parent(Eigen3::Eigen "${scope}")
        else()
            set(tamis_problem "tamis::eigen needs Eigen 3.4 or 5, which was not found")
        endif()
    endif()
    if(TARGET Eigen3::Eigen)
        tamis_check_version(Eigen "${Eigen3_VERSION}" 3.4 6)
    endif()
    if(NOT DEFINED tamis_problem AND NOT TARGET tamis::eigen)
        add_library(tamis::eigen INTERFACE IMPORTED ${scope})
        target_link_libraries(tamis::eigen INTERFACE tamis::tamis Eigen3::Eigen)
    endif()
endmacro()
