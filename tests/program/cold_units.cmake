# Units that are compiled without optimisation have none of the code that takes the time: of two bodies of one template the
# linker keeps either, and a sweep would take five times as long.
#     cmake -D NM=nm -D "OBJECTS=a.o;b.o" -P cold_units.cmake
foreach(object IN LISTS OBJECTS)
    execute_process(COMMAND "${NM}" "${object}" OUTPUT_VARIABLE symbols RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
        message(FATAL_ERROR "${NM} ${object}: ${code}")
    endif()
    if(symbols MATCHES "[^\n]*(5xsimd|gebp_kernel)[^\n]*")
        message(SEND_ERROR "${object} makes masks or products: ${CMAKE_MATCH_0}")
    endif()
endforeach()
if(NOT OBJECTS)
    message(FATAL_ERROR "no objects are given")
endif()
