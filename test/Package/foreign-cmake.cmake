# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Run by ctest: the example builds from an installed prefix alone and prints the
# integer form of its model.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${work})
foreach(component qopt-package qopt-dev)
  run(${CMAKE_COMMAND} --install ${build} --prefix ${work}/made
    --component ${component})
endforeach()
# A package that is moved still works.
file(RENAME ${work}/made ${work}/prefix)
run(${CMAKE_COMMAND} -S ${example} -B ${work}/build -G ${generator}
  -D CMAKE_PREFIX_PATH=${work}/prefix -D CMAKE_BUILD_TYPE=Release
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_C_COMPILER=${c_compiler})
run(${CMAKE_COMMAND} --build ${work}/build)
run(ldd ${work}/build/foreign)
string(FIND "${output}" "protobuf" position)
if(NOT position EQUAL -1)
  message(FATAL_ERROR "passes alone link protobuf:\n${output}")
endif()
run(${work}/build/foreign)

foreach(text "tensor<1x4xi8> {qint.scale" "qint.gemm" "qopt.value = \"r\""
        "clamp 0 to 32767" "tensor<1x2xi16>")
  string(FIND "${output}" "${text}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "expects '${text}' in the example's output, but got\n${output}")
  endif()
endforeach()

# A header that includes a file which was not installed, or the source tree.
file(GLOB_RECURSE headers ${work}/prefix/include/*)
if(NOT headers)
  message(FATAL_ERROR "no header was installed")
endif()
foreach(cmake_file qoptConfig qoptTargets)
  file(READ ${work}/prefix/lib/cmake/qopt/${cmake_file}.cmake text)
  string(FIND "${text}" "${build}" position)
  if(NOT position EQUAL -1)
    message(FATAL_ERROR "${cmake_file}.cmake names the build folder")
  endif()
endforeach()
