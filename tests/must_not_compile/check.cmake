# One case: the compiler refuses CASE, and prints what its first line expects.
file(STRINGS "${CASE}" first_line LIMIT_COUNT 1)
if(NOT first_line MATCHES "^// expect: (.+)$")
    message(FATAL_ERROR "${CASE}:1: the first line has to be `// expect: <regular expression>`")
endif()
set(expected "${CMAKE_MATCH_1}")

separate_arguments(user_flags UNIX_COMMAND "${USER_FLAGS}")
set(command "${COMPILER}" ${user_flags} ${FLAGS} -fsyntax-only)
set(ENV{LC_ALL} C)

execute_process(COMMAND ${command} "${CASE}" RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code EQUAL 0)
    message(FATAL_ERROR "${CASE}: this compiles, and must not")
endif()
if(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "${CASE}: refused, but not with `${expected}`:\n${output}")
endif()

file(READ "${CASE}" text)
if(text MATCHES "TAMIS_FIXED")
    execute_process(COMMAND ${command} -DTAMIS_FIXED "${CASE}"
        RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT code EQUAL 0)
        message(FATAL_ERROR "${CASE}: with TAMIS_FIXED this has to compile:\n${output}")
    endif()
endif()
