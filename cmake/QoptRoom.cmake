# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# One room, one library: `qopt_room(NAME SOURCES ... ROOMS ... [MLIR] [LIBS ...])`.
# MLIR and LLVM are always the shared libraries: a static MLIR archive beside
# libMLIR.so would put two copies of every TypeID into one process.

set(QOPT_WARNINGS -Wall -Wextra -Werror -Wno-unused-parameter)

# What every target of qopt compiles with.
function(qopt_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_17)
  target_compile_options(${target} PRIVATE ${QOPT_WARNINGS}
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
    # ccache can only reuse a precompiled header that holds no time stamp.
    "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:include>)
  target_include_directories(${target} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS}
    ${MLIR_INCLUDE_DIRS})
endfunction()

# A room's library. ROOMS are other rooms, MLIR adds libMLIR.so, LIBS are
# foreign libraries, DEPENDS are generated headers.
function(qopt_room name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;ROOMS;LIBS;DEPENDS" ${ARGN})
  add_library(Qopt${name} STATIC ${ARG_SOURCES})
  qopt_compile_options(Qopt${name})
  foreach(room IN LISTS ARG_ROOMS)
    target_link_libraries(Qopt${name} PUBLIC Qopt${room})
  endforeach()
  if(ARG_MLIR)
    target_link_libraries(Qopt${name} PUBLIC MLIR)
    target_precompile_headers(Qopt${name} REUSE_FROM QoptMLIRHeaders)
    add_dependencies(Qopt${name} QoptMLIRHeaders)
  endif()
  target_link_libraries(Qopt${name} PUBLIC ${ARG_LIBS} LLVM)
  if(ARG_DEPENDS)
    add_dependencies(Qopt${name} ${ARG_DEPENDS})
  endif()
  set_property(GLOBAL APPEND PROPERTY QOPT_ROOMS Qopt${name})
endfunction()

# A gtest executable for one room, run by ctest under the target's name.
function(qopt_unit_test name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;ROOMS;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  qopt_compile_options(${name})
  if(ARG_MLIR)
    # The header is compiled with -fPIC and refuses an executable's -fPIE.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
    target_precompile_headers(${name} REUSE_FROM QoptMLIRHeaders)
  endif()
  foreach(room IN LISTS ARG_ROOMS)
    target_link_libraries(${name} PRIVATE Qopt${room})
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY QOPT_UNIT_TESTS ${name})
endfunction()
