# <tamis/tamis.hpp> is all of the library, <tamis/study/study.hpp> all of the study: fails if a header is reached from
# neither and is not named in the comment of one of them as being apart.
set(unread tamis/tamis.hpp tamis/study/study.hpp)
set(reached)
while(unread)
    list(POP_FRONT unread header)
    list(APPEND reached ${header})
    file(STRINGS "${INCLUDE_DIR}/${header}" lines REGEX "^ *# *include <tamis/")
    list(TRANSFORM lines REPLACE "^ *# *include <([^>]*)>.*" "\\1")
    list(FILTER lines INCLUDE REGEX "[.]hpp$") # one line names a header that is not there, on purpose
    list(REMOVE_ITEM lines ${reached} "")
    list(APPEND unread ${lines})
    list(REMOVE_DUPLICATES unread)
endwhile()

file(READ "${INCLUDE_DIR}/tamis/tamis.hpp" apart)
file(READ "${INCLUDE_DIR}/tamis/study/study.hpp" apart_from_study)
string(APPEND apart "${apart_from_study}")
string(REGEX REPLACE "\n *#[^\n]*" "\n" apart "${apart}") # the comments alone

file(GLOB_RECURSE headers RELATIVE "${INCLUDE_DIR}" "${INCLUDE_DIR}/tamis/*.hpp")
list(REMOVE_ITEM headers ${reached})
foreach(header IN LISTS headers)
    string(FIND "${apart}" "<${header}>" position)
    if(position EQUAL -1)
        message(SEND_ERROR "${header} is not in tamis/tamis.hpp, and its comment does not say that it is apart")
    endif()
endforeach()
