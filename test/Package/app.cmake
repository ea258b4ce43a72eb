# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Run by ctest: an application builds its model from an installed prefix alone,
# again where the model or its data change; pkg-config finds libqopt.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

function(expect text)
  string(FIND "${output}" "${text}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "expects '${text}', but got\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${work})
foreach(component qopt-tools qopt-lib qopt-dev)
  run(${CMAKE_COMMAND} --install ${build} --prefix ${work}/made
    --component ${component})
endforeach()
file(RENAME ${work}/made ${work}/prefix)
file(COPY_FILE ${model} ${work}/model.onnx)
file(MAKE_DIRECTORY ${work}/data)
run(${python} ${make_npy} ${work}/data/x.npy 16x1x8 f4 -1 0.015)

run(${CMAKE_COMMAND} -S ${example} -B ${work}/build -G ${generator}
  -D CMAKE_PREFIX_PATH=${work}/prefix -D CMAKE_C_COMPILER=${c_compiler}
  -D MODEL=${work}/model.onnx -D DATA=${work}/data)
run(${CMAKE_COMMAND} --build ${work}/build)
expect("Compiling model classifier")
run(${work}/build/app)
expect("y: ")

# Nothing changed; the model changed; a file came to the data.
run(${CMAKE_COMMAND} --build ${work}/build)
string(FIND "${output}" "Compiling" position)
if(NOT position EQUAL -1)
  message(FATAL_ERROR "an unchanged model was compiled again:\n${output}")
endif()
file(TOUCH ${work}/model.onnx)
run(${CMAKE_COMMAND} --build ${work}/build)
expect("Compiling model classifier")
file(RENAME ${work}/data/x.npy ${work}/x.npy)
run(${python} ${make_npy} ${work}/data/x.npy 8x1x8 f4 -2 0.06)
run(${CMAKE_COMMAND} --build ${work}/build)
expect("Compiling model classifier")

# A component that is not installed, or does not exist, is named.
foreach(component Transforms Nonsense)
  file(WRITE ${work}/missing/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(missing LANGUAGES C)
find_package(qopt REQUIRED CONFIG COMPONENTS ${component})
")
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${work}/missing
    -B ${work}/missing/build -G ${generator} -D CMAKE_C_COMPILER=${c_compiler}
    -D CMAKE_PREFIX_PATH=${work}/prefix
    RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE output)
  if(result EQUAL 0)
    message(FATAL_ERROR "component ${component} was found")
  endif()
  expect("component ${component} of qopt is not in")
endforeach()

find_program(pkg_config pkg-config)
if(pkg_config)
  set(ENV{PKG_CONFIG_PATH} ${work}/prefix/lib/pkgconfig)
  run(${pkg_config} --cflags --libs qopt)
  string(STRIP "${output}" output)
  separate_arguments(flags UNIX_COMMAND "${output}")
  file(WRITE ${work}/version.c "#include <qopt-c/qopt.h>
#include <stdio.h>
int main(void) { return puts(qopt_version()) < 0; }
")
  run(${c_compiler} ${work}/version.c ${flags} -Wl,-rpath,${work}/prefix/lib
    -o ${work}/version)
  run(${work}/version)
  expect("${version}")
endif()
