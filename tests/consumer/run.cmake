# Builds the consumer in one of the three ways, from nothing, and runs it.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${code}: ${command}")
    endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
set(options)
if(CONSUME STREQUAL "package")
    # Installed to one place, used from another: nothing in it may remember where it came from.
    run("${CMAKE_COMMAND}" --install "${TAMIS_BINARY}" --prefix "${WORK}/built_here")
    file(RENAME "${WORK}/built_here" "${WORK}/moved_here")
    file(GLOB_RECURSE files "${WORK}/moved_here/*.cmake")
    foreach(file IN LISTS files)
        file(READ "${file}" text)
        foreach(path "${TAMIS_SOURCE}" "${TAMIS_BINARY}" built_here)
            string(FIND "${text}" "${path}" position)
            if(NOT position EQUAL -1)
                message(FATAL_ERROR "${file} names ${path}")
            endif()
        endforeach()
    endforeach()
    set(options "-DCMAKE_PREFIX_PATH=${WORK}/moved_here")
endif()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build" -G "${GENERATOR}"
    "-DCONSUME=${CONSUME}" "-DTAMIS_SOURCE=${TAMIS_SOURCE}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
    "-DCMAKE_CXX_FLAGS=${FLAGS}" ${options})
run("${CMAKE_COMMAND}" --build "${WORK}/build")
run("${WORK}/build/consumer")
